"""The last stage of a run: the checks that the definition names. Law: a run that does nothing waits for nothing."""

from __future__ import annotations

import pytest
from tests.plans.reading import before, step

from raijin.validation.subject import subject_from

CHECKS = "\nvalidation: {timeoutMinutes: 7, healthChecks: [node-readiness, API_AVAILABILITY]}\n"


@pytest.fixture
def fresh(world, examples):
    return world("minimal").defined((examples / "minimal.yaml").read_text() + CHECKS)


def test_it_comes_last_and_only_where_something_is_done(fresh) -> None:
    plan = fresh.plan()
    last = plan.steps[-1]
    assert (last.stage, last.target, last.timeout) == ("health", plan.cluster, 420)
    assert last.action.arguments["checks"] == ["node-readiness", "api-availability"]
    for other in plan.steps[:-1]:
        if not other.cleanup:
            assert before(plan, (other.stage, other.target), (last.stage, last.target)), other.stage
    assert fresh.carry_out(plan).plan().empty


def test_it_knows_whom_to_look_at(fresh) -> None:
    arguments = dict(step(fresh.plan(), "health", fresh.plan().cluster).action.arguments)
    subject = subject_from({key: value for key, value in arguments.items() if key != "checks"})
    names = [node.name for node in fresh.context().nodes]
    assert [place.name for place in subject.places] == names
    assert subject.control_planes == (names[0],)
    assert subject.version == str(fresh.definition.cluster().kubernetes_version)


def test_nobody_waits_when_the_definition_says_so(fresh, examples) -> None:
    text = (examples / "minimal.yaml").read_text()
    for more in ("", CHECKS.replace("{", "{waitForCluster: false, ")):
        assert "health" not in {s.stage for s in fresh.defined(text + more).plan().steps}
