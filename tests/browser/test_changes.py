"""A cluster is run from the page: everything that is done with it is planned, shown, agreed to, and only then done."""

from __future__ import annotations

import re
import time

import httpx2
import pytest
from tests.browser.conftest import PATIENCE, started

pytestmark = pytest.mark.timeout(400)
NAME, PASSWORD = "ada", "correct horse battery"
RUN_MS = 170_000.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory):
    """A server that asks who comes, with an administrator, a cluster that was made, and two hosts that are free."""
    for server in started(tmp_path_factory.mktemp("run")):
        with httpx2.Client(base_url=f"{server.url}/api/v1", timeout=PATIENCE) as client:
            client.post("/setup", json={"token": server.token, "name": NAME, "password": PASSWORD}).raise_for_status()
            session = client.post("/session", json={"name": NAME, "password": PASSWORD}).json()
            wanted = {"name": "tests", "roles": ["admin"], "days": 1}
            made = client.post("/tokens", json=wanted, headers={"X-CSRF-Token": session["csrf"]})
            server.bearer = made.json()["token"]
        text = (server.folder / "definitions" / "minimal.yaml").read_text()
        (path,) = (server.folder / "tmp").glob("raijin-rehearsal-*/definitions/minimal.yaml")
        more = "  - name: w3\n    address: 192.0.2.23\n  - name: w4\n    address: 192.0.2.24\n---"
        path.write_text(text.replace("---", more, 1))
        run = server.ask("POST", "/clusters/minimal/apply").json()["id"]
        deadline = time.monotonic() + RUN_MS / 1000
        while server.ask("GET", f"/runs/{run}").json()["state"] in {"queued", "planning", "running"}:
            assert time.monotonic() < deadline
            time.sleep(0.3)
        assert server.ask("GET", f"/runs/{run}").json()["state"] == "done"
        yield server


def enter(page, site, name: str = NAME, password: str = PASSWORD) -> None:
    page.goto(site.url)
    page.get_by_label("Name").fill(name)
    page.get_by_role("textbox", name="Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Clusters").wait_for()


@pytest.fixture
def page(site, visit):
    """Logged in as the administrator. That the server asked who comes is an error in the console."""
    page = visit(quiet=False)
    enter(page, site)
    return page


def summary(page) -> str:
    found = page.get_by_test_id("plan-summary")
    found.wait_for()
    return str(found.text_content())


def done(page) -> None:
    page.wait_for_url(re.compile(r"/runs/\d"))
    page.locator(".state", has_text="done").first.wait_for(timeout=RUN_MS)


def text_of(site) -> str:
    return site.ask("GET", "/definitions/minimal").text


def choose(page, change: str) -> None:
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + "/clusters/minimal")
    page.get_by_role("button", name="Change").click()
    page.get_by_role("menuitem", name=change).click()


def test_hosts_come_by_name_from_the_keyboard(site, page, axe) -> None:
    choose(page, "Scale")
    hosts = page.get_by_role("combobox", name="Hosts of the group")
    hosts.click()
    assert axe(page) == []
    page.keyboard.type("w4")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Plan the change").press("Enter")
    assert "on 1 host" in summary(page)
    assert "w4" not in text_of(site).split("nodeGroups")[1], "planning writes nothing"
    page.get_by_role("button", name="Approve").press("Enter")
    page.get_by_role("dialog", name="Scale: minimal?").wait_for()
    page.wait_for_function("document.activeElement?.textContent?.trim() === 'Scale'")
    assert axe(page) == []
    page.keyboard.press("Enter")
    done(page)
    assert "w4" in text_of(site).split("nodeGroups")[1]


def test_fewer_by_number_and_what_cannot_be_is_said(site, page) -> None:
    choose(page, "Scale")
    page.get_by_text("So many").click()
    page.get_by_label("Machines in the group").fill("9")
    page.get_by_role("button", name="Plan the change").click()
    page.get_by_role("alert").get_by_text(re.compile("more hosts, and . of the Site are free")).wait_for()
    page.get_by_label("Machines in the group").fill("2")
    page.get_by_role("button", name="Plan the change").click()
    assert "removes a node" in page.locator(".state.warn").first.text_content()
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("dialog").get_by_role("button", name="Scale").click()
    done(page)


def test_a_plan_whose_definition_has_moved_is_refused_and_made_again(site, page) -> None:
    choose(page, "Upgrade")
    page.get_by_role("combobox", name="Release").fill("v1.35.4")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Plan the upgrade").click()
    assert "steps" in summary(page)
    text, etag = text_of(site), site.ask("GET", "/definitions/minimal").headers["etag"]
    moved = text.replace("address: 192.0.2.23", "address: 192.0.2.29")
    kept = httpx2.put(
        f"{site.url}/api/v1/definitions/minimal",
        content=moved,
        headers={"Authorization": f"Bearer {site.bearer}", "Content-Type": "application/yaml", "If-Match": etag},
    )
    assert kept.status_code == 200, kept.text
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("dialog").get_by_role("button", name="Upgrade").click()
    page.get_by_role("alert").get_by_text("the definition has changed").wait_for()
    assert text_of(site) == moved
    page.get_by_role("button", name="Plan again").click()
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("dialog").get_by_role("button", name="Upgrade").click()
    done(page)
    assert "version: v1.35.4" in text_of(site)


def test_a_backup_is_taken_and_a_restoration_is_planned_with_it(site, page, axe) -> None:
    page.goto(f"{site.url}/clusters/minimal/backups")
    page.get_by_role("link", name="Take a backup").click()
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("dialog").get_by_role("button", name="Back up now").click()
    done(page)
    page.goto(f"{site.url}/clusters/minimal/backups")
    page.get_by_role("button", name=re.compile("^Verify minimal")).first.click()
    page.get_by_role("alert").get_by_text("of a simulated cluster").wait_for()
    page.get_by_role("link", name=re.compile("^Restore minimal")).first.click()
    assert page.get_by_test_id("plan-summary").count() == 0, "a link plans nothing yet"
    page.get_by_role("button", name="Plan the restoration").click()
    assert "steps" in summary(page)
    page.get_by_text("deletes data").first.wait_for()
    page.get_by_role("button", name="Approve").click()
    dialog = page.get_by_role("dialog", name="Restore: minimal?")
    agree = dialog.get_by_role("button", name="Restore")
    assert agree.is_disabled()
    dialog.get_by_label("Type minimal to go on").fill("minima")
    assert agree.is_disabled()
    dialog.get_by_label("Type minimal to go on").fill("minimal")
    assert axe(page) == []
    agree.click()
    page.get_by_role("alert").get_by_text("can be planned to restore it, and not done").wait_for()
    page.get_by_text("As it was at").click()
    page.get_by_label("Time").fill("2020-01-01T00:00")
    page.get_by_role("button", name="Plan the restoration").click()
    page.get_by_role("alert").get_by_text("has no backup that old").wait_for()


def test_a_cluster_ends_by_its_name(site, page) -> None:
    choose(page, "End the cluster")
    assert "steps" in summary(page)
    page.get_by_role("button", name="Approve").click()
    page.get_by_label("Type minimal to go on").fill("minimal")
    page.keyboard.press("Enter")
    done(page)
    page.goto(f"{site.url}/clusters/minimal/change/destroy")
    assert "nothing of the cluster is there" in summary(page)


@pytest.fixture(scope="module")
def viewer(site) -> tuple[str, str]:
    name, password = "vera", "correct horse battery too"
    made = site.ask("POST", "/users", {"name": name, "password": password, "roles": ["viewer:minimal"]})
    assert made.status_code == 201
    return name, password


def test_what_a_viewer_may_not_do_is_not_offered_and_refused_anyway(site, visit, viewer, axe) -> None:
    page = visit(quiet=False)
    enter(page, site, *viewer)
    assert page.locator("nav").get_by_role("link").all_text_contents() == [
        "Clusters", "Runs", "Topology", "Hosts", "Definitions",
    ]  # fmt: skip
    page.get_by_role("heading", name="minimal").click()
    page.get_by_role("tab", name="Overview").wait_for()
    assert page.get_by_role("button", name="Change").count() == 0
    assert page.get_by_role("link", name="Plan", exact=True).count() == 0
    assert page.get_by_role("tab", name="Plan").count() == 0
    page.get_by_role("tab", name="Backups").click()
    page.get_by_text("Encrypted copies").wait_for()
    assert page.get_by_role("link", name="Take a backup").count() == 0
    assert page.get_by_role("button", name=re.compile("^Verify")).count() == 0
    page.goto(f"{site.url}/clusters/minimal/change/destroy")
    page.get_by_role("alert").get_by_text("This takes the role admin of minimal").wait_for()
    assert axe(page) == []
    page.goto(f"{site.url}/users")
    page.get_by_role("alert").first.get_by_text("is no admin").wait_for()
    page.goto(f"{site.url}/definitions/minimal")
    page.locator(".cm-content").wait_for()
    assert page.get_by_role("button", name="Save").count() == 0
    asked = """async () => {
        const session = await fetch("/api/v1/session").then((a) => a.json());
        const headers = {"Content-Type": "application/json", "X-CSRF-Token": session.csrf};
        const answer = await fetch("/api/v1/clusters/minimal/plan", {method: "POST", headers, body: "{}"});
        return answer.status;
    }"""
    assert page.evaluate(asked) == 403


@pytest.mark.parametrize("width", [1280, 390])
def test_users_and_tokens(site, visit, axe, width: int) -> None:
    page = visit(quiet=False, width=width)
    enter(page, site)
    bob = f"bob{width}"
    page.goto(f"{site.url}/users")
    page.get_by_role("button", name="Add a user").click()
    dialog = page.get_by_role("dialog", name="A new user")
    dialog.get_by_label("Name").fill(bob)
    dialog.get_by_role("combobox", name="Roles").fill("operator:minimal")
    page.keyboard.press("Enter")
    dialog.get_by_role("textbox", name="Password").fill("short")
    dialog.get_by_role("button", name="Add").click()
    dialog.get_by_role("alert").get_by_text("the password has 5 characters").wait_for()
    assert axe(page) == []
    dialog.get_by_role("textbox", name="Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Add").click()
    row = page.get_by_role("row", name=re.compile(f"^{bob} "))
    row.get_by_text("operator:minimal").wait_for()
    row.get_by_role("button", name="Lock out").click()
    row.get_by_text("locked out").wait_for()
    assert axe(page) == []
    row.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog", name=f"Remove {bob}?").get_by_role("button", name="Remove").click()
    row.wait_for(state="detached")
    page.goto(f"{site.url}/account")
    page.get_by_label("What it is for").fill("ci")
    page.get_by_label("Days").fill("2")
    page.get_by_role("button", name="Make a token").click()
    token = page.get_by_test_id("token").text_content()
    assert site.ask("GET", "/session", bearer=token).json()["roles"] == ["admin"]
    assert axe(page) == []
    wide = page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
    assert wide == 0
    page.reload()
    page.get_by_role("button", name="Revoke ci").wait_for()
    assert token not in page.content(), "it is shown once"
    page.get_by_role("button", name="Revoke ci").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Revoke ci").wait_for(state="detached")
    assert site.ask("GET", "/session", bearer=token).status_code == 401


def test_the_trail_is_read_a_page_at_a_time_and_taken_away(site, page, axe) -> None:
    for _ in range(120):
        site.ask("POST", "/tokens", {"name": "many", "roles": ["viewer"], "days": 1})
    page.goto(f"{site.url}/audit?action=token-made")
    rows = page.locator("tbody tr")
    rows.nth(99).wait_for()
    first = int(rows.first.locator("td").first.text_content())
    page.get_by_role("button", name="Older").click()
    page.wait_for_url(re.compile("before="))
    page.wait_for_function(f"Number(document.querySelector('tbody td').textContent) < {first - 99}")
    assert page.get_by_role("button", name="Older").is_disabled()
    assert axe(page) == []
    page.get_by_role("button", name="The newest").click()
    page.wait_for_function(f"Number(document.querySelector('tbody td').textContent) === {first}")
    page.get_by_label("Who").fill("nobody-of-that-name")
    page.get_by_role("button", name="Find").click()
    page.get_by_text("There is no such entry").wait_for()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_label("What", exact=True).fill("token-made")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("action=token-made"))
    page.get_by_role("button", name="Take away").click()
    assert axe(page) == []
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name=re.compile("^CSV")).click()
    lines = saved.value.path().read_text().splitlines()
    assert saved.value.suggested_filename == "audit.csv"
    assert len(lines) > 120
    assert all("token-made" in line for line in lines[1:])


def test_a_run_opens_as_a_list_on_a_phone(site, visit, axe) -> None:
    page = visit(quiet=False, width=390, height=780, scheme="dark")
    enter(page, site)
    page.goto(f"{site.url}/runs")
    page.locator("tbody tr").last.get_by_role("link").first.click()
    page.get_by_role("list", name="Steps").wait_for()
    assert page.locator(".react-flow").count() == 0
    assert page.get_by_role("list", name="Steps").get_by_role("listitem").count() > 20
    assert axe(page) == []
    page.get_by_role("tab", name="Picture").click()
    page.locator(".react-flow").wait_for()
