"""An address that nobody else may have, against programs that play ip and ping; the real network is in the lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from raijin.operations.address import AddressFree

if TYPE_CHECKING:
    from tests.operations.conftest import Machine

OWN, OURS, STRANGER = "02:00:5e:10:00:01", "02:00:5e:10:00:02", "02:00:5e:10:00:99"
WANTED = AddressFree("192.0.2.10", (OWN, OURS))


def network(machine: Machine, *, holds: str = "192.0.2.11", neighbour: str = "") -> None:
    machine.tool(
        "ip",
        f'case "$*" in *neigh*) echo "{neighbour}";; *) echo "2: eth0    inet {holds}/24 scope global eth0";; esac\n',
    )
    machine.tool("ping", "exit 1\n")


@pytest.mark.parametrize(
    "neighbour",
    [
        "",
        "192.0.2.10 dev eth0 FAILED",
        "192.0.2.10 dev eth0 INCOMPLETE",
        f"192.0.2.10 dev eth0 lladdr {OURS} REACHABLE",
    ],
)
def test_nobody_else_answers(machine: Machine, neighbour: str) -> None:
    network(machine, neighbour=neighbour)
    assert machine.check(WANTED).states == ["ok"]
    assert machine.run(WANTED).states == ["ok"]


def test_the_host_holds_it_itself(machine: Machine) -> None:
    network(machine, holds="192.0.2.10", neighbour=f"192.0.2.10 dev eth0 lladdr {STRANGER} STALE")
    assert machine.check(WANTED).states == ["ok"]


@pytest.mark.parametrize("state", ["REACHABLE", "STALE", "DELAY"])
def test_a_stranger_answers(machine: Machine, state: str) -> None:
    network(machine, neighbour=f"192.0.2.10 dev eth0 lladdr {STRANGER} {state}")
    refused = machine.check(WANTED).one()
    assert refused.state == "refused"
    assert refused.reason == f"192.0.2.10 is in use: {STRANGER} answers for it; free it, or choose another address"
