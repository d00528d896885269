"""What a server of 1,000 clusters of 50 hosts costs: lists, a plan, 500 followers of events.

    uv run python bench/serving.py [CLUSTERS [HOSTS [LISTENERS]]]

The store, its runs (each with a plan of the size that a plan has) and the server are made in a folder of their own; the
server is a process of its own, and is asked over HTTP on 127.0.0.1. Planning is that of `raijin rehearse` for one of
the clusters: facts and checks are those of simulated hosts.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx2
import uvicorn

from raijin.api.application import application
from raijin.app.rehearsing import Wish, rehearsal
from raijin.app.service import Service
from raijin.app.settings import ServerSettings
from raijin.observe.events import Event, Kind
from raijin.state.runs import RunStatus

RUNS_PER_CLUSTER = 3
ASKED = 100
EVENTS = 200
PATIENCE = 120.0
"""Seconds that anything may take."""
LARGE = ("/clusters?limit=1000", "/sites")


def file_of(number: int, hosts: int) -> str:
    net = f"10.{number >> 8}.{number & 255}"
    lines = ["kind: Site", "hosts:", *(f"  - {{name: n{i}, address: {net}.{i + 1}}}" for i in range(hosts))]
    lines += ["---", "kind: Cluster", f"name: c{number}", "type: VANILLA", "version: v1.34.2", "nodeGroups:"]
    lines += ["  - {name: control-plane, role: CONTROL_PLANE, hosts: [n0]}"]
    workers = ", ".join(f"n{i}" for i in range(1, hosts))
    return "\n".join([*lines, f"  - {{name: workers, role: WORKER, hosts: [{workers}]}}", ""])


def fill(service: Service, clusters: int, hosts: int) -> None:
    """Files as somebody's Git checkout would have them, and a history of runs."""
    service.folder.mkdir(parents=True)
    plan = json.dumps({"steps": [{"id": f"s{n}", "title": "x" * 400} for n in range(hosts * 9)]})
    for number in range(clusters):
        (service.folder / f"c{number}.yaml").write_text(file_of(number, hosts))
        for run in range(RUNS_PER_CLUSTER):
            name = f"{number:08x}-{run:04x}"
            steps = [("s0", "prepare", "n0")]
            service.runs.create(name, cluster=f"c{number}", verb="apply", plan=plan, settings="{}", steps=steps)
            service.runs.finish(name, RunStatus.DONE, None)


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


async def ask(client: httpx2.AsyncClient, path: str, times: int = ASKED) -> str:
    took = []
    for _ in range(times):
        started = time.perf_counter()
        answer = await client.get(path)
        answer.raise_for_status()
        took.append(time.perf_counter() - started)
    size = len(answer.content) / 1024
    first, rest = took[0], took[1:]
    return (
        f"median {statistics.median(rest) * 1e3:7.1f} ms   p99 {p99(rest) * 1e3:7.1f} ms   "
        f"first {first * 1e3:7.1f} ms   {size:.0f} KiB"
    )


async def follow(port: int, connected: asyncio.Semaphore, late: list[float]) -> None:
    """Over a bare connection: what a follower costs here must not be taken for what it costs the server."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    heard = 0
    while heard < EVENTS:
        line = await asyncio.wait_for(reader.readline(), PATIENCE)
        if not line:
            raise SystemExit(f"the server ended a connection after {heard} of {EVENTS} events")
        if line.startswith(b": connected"):
            connected.release()
        elif line.startswith(b"data: "):
            late.append(time.time() - json.loads(line[6:])["at"])
            heard += 1
    writer.close()


async def listeners(service: Service, port: int, count: int) -> str:
    connected, late = asyncio.Semaphore(0), []  # type: ignore[var-annotated]
    async with asyncio.TaskGroup() as following:
        for _ in range(count):
            following.create_task(follow(port, connected, late))
        for _ in range(count):
            await asyncio.wait_for(connected.acquire(), PATIENCE)
        started = time.perf_counter()
        await tell(service)
    took = time.perf_counter() - started
    return (
        f"{count} listeners heard {EVENTS} events each in {took:.1f} s: "
        f"median {statistics.median(late) * 1e3:.0f} ms late, p99 {p99(late) * 1e3:.0f} ms"
    )


async def tell(service: Service) -> None:
    run = service.runs.history(limit=1)[0].id
    for n in range(EVENTS // 10):
        events = [Event(Kind.MESSAGE, run, host="n1", data={"text": f"{n}.{m}"}) for m in range(10)]
        await asyncio.to_thread(service.runs.record, *events)
        await asyncio.sleep(0.05)


async def measure(service: Service, port: int, count: int) -> None:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=PATIENCE) as client:
        for path in (
            "/clusters?limit=100",
            "/clusters?limit=1000",
            "/runs?limit=50",
            "/clusters/c7",
            "/hosts?limit=500",
            "/sites",
        ):
            print(f"GET {path:22} {await ask(client, path, ASKED if path not in LARGE else 10)}", flush=True)
    print(await listeners(service, port, count), flush=True)


def serve(home: Path, port: int) -> None:
    service = Service(home, home / "definitions", runs_jobs=False)
    settings = ServerSettings.model_validate({"requestsPerMinute": 10**6})
    uvicorn.run(application(service, settings=settings), host="127.0.0.1", port=port, log_level="warning")


def until_it_answers(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the server does not answer")


def plan_seconds(folder: Path, file: Path) -> tuple[float, int]:
    from raijin.app.running import plan  # noqa: PLC0415

    with rehearsal(Wish((file,)), folder) as stage:
        started = time.perf_counter()
        planned = asyncio.run(plan(stage.session, "apply"))
        return time.perf_counter() - started, len(planned.plan.steps)


def main(clusters: int = 1000, hosts: int = 50, count: int = 500) -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        service = Service(home, home / "definitions", runs_jobs=False)
        started = time.perf_counter()
        fill(service, clusters, hosts)
        print(f"{clusters} clusters x {hosts} hosts, {clusters * RUNS_PER_CLUSTER} runs: "
              f"made in {time.perf_counter() - started:.0f} s", flush=True)  # fmt: skip
        for again in ("first", "again"):
            took, steps = plan_seconds(home / f"plan-{again}", service.folder / "c7.yaml")
            print(f"plan of {hosts} new hosts ({steps} steps), {again}: {took:.2f} s", flush=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(home, port))
        server.start()
        try:
            until_it_answers(port)
            asyncio.run(measure(service, port, count))
        finally:
            server.terminate()
            server.join()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
