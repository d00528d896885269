"""What the tests of the state, the engine and the use cases share: a RAIJIN_HOME of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy.engine import Engine

from raijin.observe.masking import MASKER

# How long one example takes is the machine's business: a busy one must not make a law look broken.
settings.register_profile("raijin", deadline=None)
settings.load_profile("raijin")


@pytest.fixture(autouse=True)
def fresh_masks() -> Iterator[None]:
    """What one test hides is not hidden in the next."""
    before = set(MASKER._values)
    yield
    MASKER._values.intersection_update(before)


@pytest.fixture
def secrets_of_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    """What examples/k3s-datastore.yaml names."""
    monkeypatch.setenv("K3S_DATASTORE", "postgres://k3s:geheim@192.0.2.9/k3s")
    monkeypatch.setenv("REGISTRY_PASSWORD", "geheim")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that was migrated once, to be copied: alembic is slow."""
    from raijin.state.database import open_database

    folder = tmp_path_factory.mktemp("migrated")
    open_database(folder).dispose()
    return folder / "state.sqlite"


@pytest.fixture
def database(home: Path, migrated: Path) -> Iterator[Engine]:
    from raijin.state.database import open_database

    home.mkdir(mode=0o700)
    shutil.copy(migrated, home / "state.sqlite")
    engine = open_database(home)
    yield engine
    engine.dispose()
