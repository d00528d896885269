"""A runner as a process: the real jobs, engine and queue; in the place of planning, a plan of a few slow steps.

node.py run        take runs until killed
node.py tick       also meet a schedule of every second
node.py ask NAMES  ask for a run of each cluster, and end
node.py serve PORT the whole server, with users
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from types import SimpleNamespace

from raijin.app import planning
from raijin.app.planning import Planned
from raijin.app.schedules import Schedules
from raijin.app.service import Service
from raijin.engine import works as works_module
from raijin.plan.handlers import CallContext
from raijin.plan.model import Call, Plan, Retry, Step
from raijin.platforms import calls

WORK = Path(os.environ["WORK"])
STEPS = ("one", "two", "three", "four")


def note(file: str, line: str) -> None:
    with (WORK / file).open("a") as stream:
        stream.write(line + "\n")


async def act(context: CallContext) -> None:
    step = context.text("name")
    note("begun", f"{context.cluster} {step} {os.getpid()}")
    await asyncio.sleep(float(os.environ.get("SLOW", "0.3")))
    note("done", f"{context.cluster} {step} {os.getpid()}")


async def plan_of(session, verb, *_: object, **__: object) -> Planned:
    steps, before = [], ()
    for name in STEPS:
        step = Step(name, "stage", "host", f"do {name}", Call("act", {"name": name}), before, retry=Retry.NEVER)
        steps.append(step)
        before = (name,)
    context = SimpleNamespace(hosts=(), cluster=session.cluster)
    plan = Plan(verb, session.cluster.name, tuple(steps), definition=session.fingerprint())
    return Planned(plan, context, 1e12, {})  # type: ignore[arg-type]


async def tick(self: Schedules, name: str, at: float) -> None:
    del self
    note("ticks", f"{name} {at:.0f} {os.getpid()}")


def main() -> None:
    planning.make_plan = plan_of
    calls.HANDLERS["act"] = act
    Schedules.due = tick  # type: ignore[method-assign]
    home = Path(os.environ["RAIJIN_HOME"])
    service = Service(home, home / "definitions")
    if sys.argv[1] == "serve":
        import uvicorn

        from raijin.api.application import application
        from raijin.app.access import Access

        access = Access(service.database, home)
        note("setup", access.setup_token() or "")
        uvicorn.run(application(service, access=access), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
        return
    if sys.argv[1] == "ask":  # what is asked for is left to the others
        own = works_module.Durable
        works_module.Durable = lambda home, queues: own(home)  # type: ignore[assignment,misc]
    service.start()
    works = service.background.works
    assert works is not None
    if sys.argv[1] == "ask":
        for name in sys.argv[2:]:
            service.ask(name, "apply", {"who": "test"})
        service.stop()
        return
    if sys.argv[1] == "tick":
        service.background.wait(works.schedule({"every-second": "* * * * * *"}), 60)
    note("up", str(os.getpid()))
    while True:
        asyncio.run(asyncio.sleep(3600))


main()
