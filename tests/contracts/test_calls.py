"""A call is planned, carried out and explained under one name, on every platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from raijin.app import keeping
from raijin.app.session import Session
from raijin.model.cluster import ClusterType
from raijin.platforms import PLATFORMS, calls, platform_by


@pytest.mark.parametrize("kind", PLATFORMS)
def test_a_name_belongs_to_one_handler(kind: ClusterType) -> None:
    assert not set(calls.HANDLERS) & set(platform_by(kind).handlers)


@pytest.mark.parametrize("kind", [None, *PLATFORMS])
def test_every_call_that_can_be_carried_out_has_words_for_hands(kind: ClusterType | None) -> None:
    """What the engine can do and the runbook cannot explain would leave a person without a way."""
    one = calls if kind is None else platform_by(kind)
    handlers, words = (one.HANDLERS, one.BY_HAND) if kind is None else (one.handlers, one.by_hand)
    assert set(handlers) == set(words)


@pytest.mark.parametrize("kind", PLATFORMS)
def test_a_platform_serves_the_type_that_it_is_listed_for(kind: ClusterType) -> None:
    assert platform_by(kind).type is kind


def test_the_calls_of_backups_have_words_for_hands(tmp_path: Path) -> None:
    assert set(keeping.handlers_of(Session(tmp_path))) == set(keeping.BY_HAND)
    assert not set(keeping.BY_HAND) & set(calls.BY_HAND)
