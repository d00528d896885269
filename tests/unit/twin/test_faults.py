"""Faults strike where they are asked for, and are survived as the policies say."""

from __future__ import annotations

from pathlib import Path

import pytest

from raijin.errors import UsageError
from raijin.twin.faults import FaultKind, parse_fault

MINIMAL = (Path(__file__).parents[3] / "examples" / "minimal.yaml").read_text()
SKIP = MINIMAL + "policy: {onHostFailure: SKIP}\n"
QUARANTINE = MINIMAL + "policy: {onHostFailure: QUARANTINE}\n"


EXAMPLES = Path(__file__).parents[3] / "examples"
WORKERS = {"minimal": ("w1", "w2"), "k3s": ("pi2", "pi3"), "rke2-ha": ("a1", "a2"), "talos": ("t2", "t3")}
"""Of each distribution an example with two workers."""


def nodes(result) -> dict[str, tuple[bool, bool]]:
    return {node.name: (node.ready, node.schedulable) for node in result.nodes}


def test_a_host_that_dies_while_it_joins_is_put_in_quarantine_and_the_others_go_on(rehearse) -> None:
    result, _ = rehearse(QUARANTINE, "dead-host=w1@join")
    assert (result.exit_code, result.unreachable, result.quarantined) == (16, ["w1"], ["w1"])
    assert nodes(result)["w2"] == (True, True)
    assert result.later == [], "a host in quarantine is left alone"


def test_a_host_that_is_dead_from_the_beginning_is_skipped(rehearse) -> None:
    result, _ = rehearse(SKIP, "dead-host=w2")
    assert (result.exit_code, result.later) == (0, [])
    assert set(nodes(result)) == {"n1", "w1"}


@pytest.mark.parametrize("example", WORKERS)
def test_the_others_go_on_without_a_host_that_dies_whatever_the_distribution(rehearse, example: str) -> None:
    text = (EXAMPLES / f"{example}.yaml").read_text() + "policy: {onHostFailure: QUARANTINE}\n"
    dead, other = WORKERS[example]
    result, _ = rehearse(text, f"dead-host={dead}@join")
    assert (result.exit_code, result.unreachable, result.quarantined) == (16, [dead], [dead])
    assert nodes(result)[other] == (True, True)
    assert result.later == []


@pytest.mark.parametrize("example", WORKERS)
def test_slow_disks_and_lost_links_are_survived_whatever_the_distribution(rehearse, example: str) -> None:
    one, other = WORKERS[example]
    slow, _ = rehearse((EXAMPLES / f"{example}.yaml").read_text(), f"lost-link={one}@join:20", f"slow-disk={other}")
    assert (slow.error, slow.later) == (None, [])
    assert [struck for _, struck in slow.faults] == [True, True]


def test_a_link_that_comes_back_in_time_is_survived(rehearse) -> None:
    result, _ = rehearse(MINIMAL, "lost-link=w1@binaries:20", "slow-disk=w2")
    assert (result.error, result.later) == (None, [])
    assert result.faults == [("lost-link=w1@binaries:20", True), ("slow-disk=w2", True)]


def test_a_drain_that_fails_leaves_the_node_in_service(rehearse) -> None:
    """A host whose drain failed is not upgraded, and takes pods again."""
    result, _ = rehearse(MINIMAL, "failed-drain=w1", verb="upgrade", start="v1.33.6")
    assert result.exit_code == 16
    assert nodes(result)["w1"] == (True, True)
    assert {node.name: node.version for node in result.nodes} == {"n1": "v1.34.2", "w1": "v1.33.6", "w2": "v1.33.6"}
    assert any(item.startswith("upgrade@v1.34.2 on w1") for item in result.later or [])


@pytest.mark.parametrize(
    ("example", "start"), [("k3s", "v1.33.13+k3s2"), ("rke2-ha", "v1.33.13+rke2r1"), ("talos", "v1.12.0")]
)
def test_a_drain_that_fails_leaves_the_node_as_it_was_whatever_the_distribution(rehearse, example: str, start) -> None:
    text = (EXAMPLES / f"{example}.yaml").read_text().replace("version: v1.12.0", "version: v1.13.9")
    stuck, _ = WORKERS[example]
    result, stage = rehearse(text, f"failed-drain={stuck}", verb="upgrade", start=start, then_empty=False)
    assert result.exit_code == 16
    assert nodes(result)[stuck] == (True, True)
    versions = {node.name: node.version for node in result.nodes}
    assert (stage.site.hosts[stuck].release or versions[stuck]) == start


def test_a_fault_at_a_stage_that_the_plan_does_not_have_is_refused(rehearse) -> None:
    result, _ = rehearse(MINIMAL, "dead-host=w1@upgrade", then_empty=False)
    assert result.exit_code == UsageError.exit_code
    assert "no such stage on w1" in str((result.error or {})["detail"])


@pytest.mark.parametrize(
    "text",
    ["", "fire=w1", "dead-host", "kill", "kill=w1@join", "slow-disk=w1@join", "dead-host=w1@join:20", "failed-drain"],
)
def test_what_is_no_fault_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="fault"):
        parse_fault(text)


def test_a_fault_is_read_as_it_is_written() -> None:
    fault = parse_fault("lost-link=w1@upgrade@v1.34.2:7")
    assert (fault.kind, fault.node, fault.stage, fault.seconds) == (FaultKind.LOST_LINK, "w1", "upgrade@v1.34.2", 7.0)
    assert str(parse_fault("kill@join")) == "kill@join"
    assert fault.meets("upgrade@v1.34.2", "w1")
    assert parse_fault("kill@upgrade").meets("upgrade@v1.34.2", "w2")
