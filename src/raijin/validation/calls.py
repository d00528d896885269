"""The end of a run: until the checks that the definition names pass."""

from __future__ import annotations

from raijin.plan.handlers import CallContext, Handlers
from raijin.validation.checks import chosen, judge, parts_of
from raijin.validation.finding import faults, few
from raijin.validation.look import look
from raijin.validation.subject import subject_from

INTERVAL = 2.0


async def wait_until_healthy(context: CallContext) -> None:
    """health.wait: until none of the named checks finds a fault."""
    checks = chosen(context.texts("checks"))
    subject = subject_from({key: value for key, value in context.arguments.items() if key != "checks"})

    async def probe() -> str:
        found = faults(judge(checks, await look(context.pool, subject, parts_of(checks))))
        return few((f"{fault.check}: {fault}" for fault in found), 3)

    await context.until(
        f"{context.target} to be healthy",
        probe,
        interval=INTERVAL,
        host=context.target,
        remedy="look at `raijin cluster health`, mend what it names, then resume the run",
    )


HANDLERS: Handlers = {"health.wait": wait_until_healthy}

BY_HAND = {"health.wait": "Look at the cluster until all of this holds: `raijin cluster health`"}
