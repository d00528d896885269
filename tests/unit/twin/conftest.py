"""Rehearsals in this process, with a home of their own."""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from raijin.app.rehearsing import Result, Stage, Wish, rehearsal
from raijin.definition.load import load
from raijin.model.cluster import ClusterType
from raijin.twin import twin_of
from raijin.twin.faults import parse_fault
from raijin.twin.site import TwinSite

EXAMPLES = Path(__file__).parents[3] / "examples"
MINIMAL = (EXAMPLES / "minimal.yaml").read_text()


async def carried(stage: Stage) -> Result:
    await stage.set_the_scene()
    return await stage.perform(lambda _: True)


async def lived(stage: Stage) -> list[Result]:
    """A whole life: applied, planned again, destroyed, planned again."""
    made = await carried(stage)
    stage.wish = replace(stage.wish, verb="destroy")
    return [made, await stage.perform(lambda _: True)]


@pytest.fixture
def staged(tmp_path: Path, migrated: Path) -> Callable[..., tuple[object, Stage]]:
    """Work with the stage of a definition (a text, or the name of an example); what came of it, and the stage."""

    def run(
        work: Callable[[Stage], Awaitable[object]], text: str = MINIMAL, *faults: str, **wish: object
    ) -> tuple[object, Stage]:
        file = tmp_path / "raijin.yaml"
        file.write_text((EXAMPLES / f"{text}.yaml").read_text() if "\n" not in text else text)
        home = tmp_path / "home"
        home.mkdir(mode=0o700)
        shutil.copy(migrated, home / "state.sqlite")
        asked = Wish((file,), faults=tuple(map(parse_fault, faults)), **{"then_empty": True, **wish})  # type: ignore[arg-type]
        with rehearsal(asked, home) as stage:
            return asyncio.run(work(stage)), stage  # type: ignore[arg-type]

    return run


@pytest.fixture
def rehearse(staged: Callable[..., tuple[object, Stage]]) -> Callable[..., tuple[Result, Stage]]:
    """Rehearse a definition; the result, and the stage as it is then."""

    def run(text: str = MINIMAL, *faults: str, **wish: object) -> tuple[Result, Stage]:
        result, stage = staged(carried, text, *faults, **wish)
        assert isinstance(result, Result)
        return result, stage

    return run


@pytest.fixture
def site() -> TwinSite:
    """The hosts of the smallest example, as their systems were installed."""
    made = TwinSite(twin_of(ClusterType.VANILLA))
    for host in load(io.StringIO(MINIMAL), {}).site().hosts:
        made.add(host)
    return made
