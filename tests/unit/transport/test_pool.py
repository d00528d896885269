"""One connection per host, whoever asks; a failure is not remembered; one slow host holds up nobody."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from raijin.errors import HostUnreachable, NotFound
from raijin.transport import ssh
from raijin.transport.local import LocalConnection
from raijin.transport.pool import LocalTarget, Pool
from raijin.transport.ssh import SshTarget


class Link(ssh.SshConnection):
    def __init__(self, name: str) -> None:
        self.name, self.closed = name, False

    async def close(self) -> None:
        self.closed = True


class Network:
    """Hosts that answer when they are let; counts who was connected how often, and how many at the same time."""

    def __init__(self) -> None:
        self.opened: Counter[str] = Counter()
        self.via: dict[str, str | None] = {}
        self.failing: set[str] = set()
        self.hold = asyncio.Event()
        self.hold.set()
        self.now = self.most = 0

    async def connect(self, target: SshTarget, *, via: Link | None = None) -> Link:
        self.opened[target.name] += 1
        self.via[target.name] = via.name if via else None
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0)
            await self.hold.wait()
        finally:
            self.now -= 1
        if target.name in self.failing:
            raise HostUnreachable("no", host=target.name)
        return Link(target.name)


@pytest.fixture
async def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network()
    monkeypatch.setattr(ssh, "connect", network.connect)
    return network


def pool_of(*names: str, limit: int = 64, jump: str | None = None) -> Pool:
    targets = {name: SshTarget(name, "192.0.2.1", jump=jump if name != jump else None) for name in names}
    return Pool(targets, limit=limit)


async def test_one_connection_for_all_who_ask(network: Network) -> None:
    pool = pool_of("alpha", "beta")
    found = await asyncio.gather(*(pool.get(name) for name in ("alpha", "beta") * 50))
    assert network.opened == {"alpha": 1, "beta": 1}
    assert len({id(link) for link in found}) == 2
    assert await pool.get("alpha") in found


async def test_a_failure_is_told_to_all_who_wait_and_then_forgotten(network: Network) -> None:
    pool = pool_of("alpha")
    network.failing.add("alpha")
    found = await asyncio.gather(*(pool.get("alpha") for _ in range(5)), return_exceptions=True)
    assert [type(error) for error in found] == [HostUnreachable] * 5
    assert network.opened["alpha"] == 1
    network.failing.clear()
    assert (await pool.get("alpha")).name == "alpha"
    assert network.opened["alpha"] == 2


async def test_one_who_gives_up_does_not_take_the_connection_from_the_others(network: Network) -> None:
    pool = pool_of("alpha")
    network.hold.clear()
    first, second = (asyncio.create_task(pool.get("alpha")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    network.hold.set()
    assert (await second).name == "alpha"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_so_many_at_the_same_time_and_no_more(network: Network) -> None:
    names = [f"host-{n}" for n in range(30)]
    pool = pool_of(*names, limit=4)
    await asyncio.gather(*(pool.get(name) for name in names))
    assert network.most == 4
    assert sum(network.opened.values()) == 30


async def test_a_forgotten_host_is_closed_and_opened_anew(network: Network) -> None:
    pool = pool_of("alpha", "beta")
    before = await pool.get("alpha")
    await pool.forget("alpha")
    await pool.forget("beta")
    assert before.closed
    assert await pool.get("alpha") is not before


async def test_a_jump_host_is_opened_once_for_all_behind_it(network: Network) -> None:
    pool = pool_of("outer", "alpha", "beta", "gamma", jump="outer", limit=1)
    await asyncio.gather(*(pool.get(name) for name in ("alpha", "beta", "gamma")))
    assert network.opened == {"outer": 1, "alpha": 1, "beta": 1, "gamma": 1}
    assert network.via == {"outer": None, "alpha": "outer", "beta": "outer", "gamma": "outer"}


async def test_a_jump_host_must_be_reached_by_ssh(network: Network) -> None:
    pool = Pool({"here": LocalTarget("here"), "alpha": SshTarget("alpha", "192.0.2.1", jump="here")})
    with pytest.raises(HostUnreachable, match="the jump host here is not an SSH host"):
        await pool.get("alpha")
    assert network.opened == {}


async def test_this_machine_needs_no_wire(network: Network) -> None:
    pool = Pool({"here": LocalTarget("here")})
    assert isinstance(await pool.get("here"), LocalConnection)
    assert network.opened == {}


async def test_an_unknown_host(network: Network) -> None:
    pool = pool_of("alpha")
    assert pool.knows("alpha")
    assert not pool.knows("beta")
    with pytest.raises(NotFound, match="no host beta"):
        await pool.get("beta")
    assert network.opened == {}


async def test_the_end_closes_all_and_waits_for_nobody(network: Network) -> None:
    pool = pool_of("alpha", "beta")
    ready = await pool.get("alpha")
    network.hold.clear()
    opening = asyncio.create_task(pool.get("beta"))
    await asyncio.sleep(0)
    await pool.close()
    assert ready.closed
    with pytest.raises(asyncio.CancelledError):
        await opening
