"""Choices are read in any case and written in one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raijin.model.choice import Choice
from raijin.model.cluster import ClusterType, NodeRole
from raijin.model.host import Arch, BecomeMethod, ConnectionKind
from raijin.model.labels import TaintEffect
from raijin.model.power import PowerMethod
from raijin.model.service import ServiceType
from raijin.model.wan import WanBalance

CHOICES: tuple[type[Choice], ...] = (
    ClusterType, NodeRole, Arch, BecomeMethod, ConnectionKind, TaintEffect, PowerMethod, ServiceType, WanBalance,
)  # fmt: skip


@given(st.sampled_from(CHOICES).flatmap(lambda choice: st.sampled_from(list(choice))), st.randoms())
def test_any_case_and_separator(member: Choice, random: object) -> None:
    letters = [getattr(letter, random.choice(["upper", "lower"]))() for letter in member.value]  # type: ignore[attr-defined]
    word = "".join(letters)
    for spelling in (word, word.replace("_", "-"), word.replace("-", "_"), f" {word} "):
        assert type(member)(spelling) is member


@pytest.mark.parametrize(
    ("choice", "word", "member"),
    [
        (ClusterType, "kubeadm", ClusterType.VANILLA),
        (ClusterType, "Kubernetes", ClusterType.VANILLA),
        (NodeRole, "controlPlane", NodeRole.CONTROL_PLANE),
        (NodeRole, "master", NodeRole.CONTROL_PLANE),
        (Arch, "x86_64", Arch.AMD64),
        (Arch, "aarch64", Arch.ARM64),
        (PowerMethod, "idrac", PowerMethod.REDFISH),
        (TaintEffect, "no-schedule", TaintEffect.NO_SCHEDULE),
    ],
)
def test_other_spellings(choice: type[Choice], word: str, member: Choice) -> None:
    assert choice(word) is member


@pytest.mark.parametrize("word", ["", "k4s", 5, None])
def test_other_words_are_refused(word: object) -> None:
    with pytest.raises(ValueError, match="is not a valid ClusterType"):
        ClusterType(word)
