"""Pictures of the dashboard for the documentation: docs/images/dashboard-*.png, of a rehearsal, in a real Chromium.

    make screenshots

Look at each before you keep it.
"""

from __future__ import annotations

import re
import shutil
import sys

from demo import ROOT, begin, prove, rehearsal
from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = ROOT / "docs" / "images"


def page_of(browser: Browser, *, scheme: str = "light", width: int = 1200, height: int = 780) -> Page:
    return browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)


def keep(page: Page, name: str) -> None:
    """Without a caret that blinks, and without what moves."""
    page.screenshot(path=FOLDER / f"dashboard-{name}.png", animations="disabled", caret="hide")


def take(browser: Browser, url: str) -> None:
    page = page_of(browser)
    page.goto(f"{url}/clusters")
    page.locator("a.card", has_text="minimal").get_by_text("healthy").wait_for()
    keep(page, "clusters")
    page.goto(f"{url}/topology")
    page.get_by_text("virtual address").first.wait_for()
    page.locator("table .state", has_text="not a node").first.wait_for()
    keep(page, "topology")
    page.goto(f"{url}/definitions/minimal")
    page.locator(".state", has_text="valid").wait_for()
    page.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("network:\n  podCidr: 10.244.0.0\n  ")
    page.keyboard.type("cn")
    page.locator(".cm-tooltip-autocomplete").wait_for()
    page.locator(".cm-lint-marker-error").first.wait_for()
    keep(page, "definition")
    page.goto(f"{url}/clusters/minimal/change/upgrade?version=v1.35.4")
    page.get_by_test_id("plan-summary").wait_for()
    keep(page, "upgrade")
    page.goto(f"{url}/clusters/production/plan")
    page.get_by_role("button", name=re.compile("n2 prepare the operating system")).click()
    page.locator(".diff").first.wait_for()
    page.get_by_role("tab", name="Changes").scroll_into_view_if_needed()
    keep(page, "plan")
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name=re.compile(r"Apply \d+ steps")).click()
    page.get_by_test_id("count").get_by_text(re.compile(r"^(2[5-9]|3\d) of ")).wait_for(timeout=120_000)
    keep(page, "run")
    dark = page_of(browser, scheme="dark")
    dark.goto(page.url)
    dark.locator(".step.good").first.wait_for()
    keep(dark, "run-dark")
    phone = page_of(browser, scheme="dark", width=390, height=780)
    phone.goto(page.url)
    phone.get_by_role("list", name="Steps").wait_for()
    keep(phone, "phone")


def main() -> int:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        sys.exit("there is no chromium: apt-get install chromium")
    with rehearsal() as (url, _), sync_playwright() as playwright:
        prove(url, "minimal", begin(url, "minimal"))
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        take(browser, url)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
