"""From the plan to the end of its run, by keyboard, and what the page shows on the way."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.timeout(400)
RUN_MS = 170_000.0
STATES = "document.querySelectorAll('.step.{}').length"


def tab_to(page, name: str, most: int = 60) -> None:
    """The focus goes to the button or link of that name by the Tab key alone."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.textContent?.trim()") == name:
            return
    raise AssertionError(f"Tab does not lead to {name!r}")


def steps_of(page) -> int:
    """How many the plan on the page has."""
    summary = page.get_by_test_id("plan-summary")
    summary.get_by_text(re.compile(r"^\d+ steps on")).wait_for()
    return int(summary.text_content().split()[0])


def test_a_plan_is_approved_by_keyboard_and_its_run_takes_colour(server, visit, axe) -> None:
    page = visit(f"{server.url}/clusters/production/plan")
    steps = steps_of(page)
    assert steps > 50
    step = page.get_by_role("button", name=re.compile("n2 prepare the operating system"))
    step.press("Enter")
    page.locator(".after", has_text="commented out").first.wait_for()
    page.locator("body").press("Home")
    page.get_by_role("link", name="Skip to the content").focus()
    tab_to(page, "Approve")
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Apply this plan to production?").wait_for()
    page.get_by_role("button", name=f"Apply {steps} steps").wait_for()
    assert axe(page) == []
    page.wait_for_function(f"document.activeElement?.textContent?.trim() === 'Apply {steps} steps'")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/runs/\d"))
    page.locator(".step.busy").first.wait_for()
    assert page.evaluate(STATES.format("idle")) > 0
    page.get_by_text(re.compile(r"about .* left")).wait_for()
    page.locator(".log p", has_text="begins: prepare the operating system").first.wait_for()
    assert axe(page) == []
    page.get_by_test_id("count").get_by_text(f"{steps} of {steps} steps").wait_for(timeout=RUN_MS)
    page.locator(".state", has_text="done").first.wait_for(timeout=RUN_MS)
    assert page.evaluate(STATES.format("good")) == steps
    page.get_by_role("tab", name="Log").click()
    page.get_by_role("combobox", name="Log of which host").click()
    page.get_by_role("option", name="w2", exact=True).click()
    assert page.locator(".log p", has_text="join").count() > 0
    assert page.locator(".log b").count() == 0
    page.goto(f"{server.url}/clusters/production/plan")
    page.get_by_text("Nothing to do").wait_for()
    page.goto(f"{server.url}/clusters")
    page.locator("a.card", has_text="production").get_by_text("healthy").wait_for()


def test_a_run_is_stopped_and_gone_on_with(server, visit) -> None:
    page = visit(f"{server.url}/clusters/minimal/plan")
    steps = steps_of(page)
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name=f"Apply {steps} steps").click()
    page.locator(".step.busy").first.wait_for()
    page.get_by_role("button", name="Stop").click()
    page.locator(".state", has_text="cancelled").first.wait_for()
    page.get_by_role("button", name="Go on").click()
    page.get_by_test_id("count").get_by_text(f"{steps} of {steps} steps").wait_for(timeout=RUN_MS)
    page.locator(".state", has_text="done").first.wait_for(timeout=RUN_MS)


def test_it_says_everywhere_that_nothing_is_real(server, visit) -> None:
    page = visit()
    for address in ("/clusters", "/runs", "/definitions/ha"):
        page.goto(server.url + address)
        page.get_by_role("note").get_by_text("Rehearsal: simulated hosts").wait_for()


def test_a_run_that_is_none(server, visit) -> None:
    page = visit(f"{server.url}/runs/20200101-000000-aaaa", quiet=False)
    page.get_by_role("alert").get_by_text("there is no run").wait_for()
