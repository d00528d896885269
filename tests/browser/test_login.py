"""Who comes in, who does not, and what a session is good for."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

NAME, PASSWORD = "ada", "correct horse battery"


@pytest.fixture
def outside(guarded, visit):
    """The page of somebody whom the server does not know. Its refusals are errors in the console, as they should be."""
    page = visit(f"{guarded.url}/clusters", quiet=False)
    page.get_by_role("button", name="Log in").wait_for()
    return page


def enter(page, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(NAME)
    page.get_by_role("textbox", name="Password").fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.fixture(scope="module")
def administrator(guarded, chromium) -> None:
    """The first administrator is made with the one-time token, on the page."""
    page = chromium.new_page()
    page.goto(guarded.url)
    page.get_by_text("This server is new").wait_for()
    page.get_by_label("One-time token").fill(guarded.token)
    page.get_by_label("Name").fill(NAME)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the first administrator").click()
    page.get_by_role("heading", name="Clusters").wait_for()
    page.close()


@pytest.mark.usefixtures("administrator")
def test_a_wrong_password_is_refused_and_the_right_one_is_not(outside, axe) -> None:
    enter(outside, "wrong horse battery")
    outside.get_by_role("alert").get_by_text("the name or the password is wrong").wait_for()
    assert axe(outside) == []
    enter(outside)
    outside.get_by_role("heading", name="Clusters").wait_for()
    cookie = next(item for item in outside.context.cookies() if item["name"] == "raijin_session")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert outside.evaluate("document.cookie") == ""


@pytest.mark.usefixtures("administrator")
def test_a_change_without_what_the_session_must_repeat_is_refused(outside) -> None:
    enter(outside)
    outside.get_by_role("heading", name="Clusters").wait_for()
    ask = """(more) => {
        const headers = {"Content-Type": "application/json", ...more};
        return fetch("/api/v1/clusters/minimal/apply", {method: "POST", headers, body: "{}"}).then((a) => a.status);
    }"""
    assert outside.evaluate(ask, {}) == 403
    assert outside.evaluate(ask, {"X-CSRF-Token": "guessed"}) == 403
    assert outside.evaluate("fetch('/api/v1/runs').then((a) => a.json()).then((a) => a.runs.length)") == 0
    outside.get_by_role("link", name="Definitions").click()
    outside.get_by_role("link", name="minimal.yaml").click()
    outside.locator(".cm-content").click()
    outside.keyboard.press("Control+End")
    outside.keyboard.type("# with the token\n")
    outside.get_by_role("button", name="Save").click()
    outside.locator(".state", has_text="saved").wait_for()


@pytest.mark.usefixtures("administrator")
def test_a_session_ends_by_logging_out_and_by_its_time(guarded, outside) -> None:
    enter(outside)
    outside.get_by_role("button", name="Log out").click()
    outside.get_by_role("button", name="Log in").wait_for()
    enter(outside)
    outside.get_by_role("heading", name="Clusters").wait_for()
    _let_all_sessions_end(guarded)
    outside.get_by_role("link", name="Runs").click()
    outside.get_by_role("button", name="Log in").wait_for()


def _let_all_sessions_end(guarded) -> None:
    """As when their twelve hours are over."""
    (state,) = Path(guarded.folder / "tmp").glob("raijin-rehearsal-*/state.sqlite")
    with sqlite3.connect(state, timeout=30) as database:
        assert database.execute("UPDATE sessions SET expires = 1").rowcount > 0


@pytest.mark.usefixtures("administrator")
def test_a_provider_is_offered_where_the_server_knows_one(guarded, visit, axe) -> None:
    page = visit(quiet=False)
    ways = {"setup": False, "provider": "https://id.example.org/realms/lab"}
    page.route("**/api/v1/entrance", lambda route: route.fulfill(json=ways))
    page.goto(f"{guarded.url}/clusters")
    link = page.get_by_role("link", name="Log in with id.example.org")
    link.wait_for()
    assert link.get_attribute("href") == "/api/v1/oidc/login"
    page.get_by_role("textbox", name="Password").wait_for()
    assert axe(page) == []


def test_the_sources_of_scripts_are_the_server_alone(guarded, visit) -> None:
    page = visit(guarded.url, quiet=False)
    page.evaluate(
        "() => { const s = document.createElement('script'); s.text = 'window.ran = 1'; document.body.append(s); }"
    )
    assert page.evaluate("window.ran") is None
