"""Every page in light and dark, on a desk and on a phone: nothing that axe objects to, nothing that sticks out."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.timeout(300)
PAGES = (
    ("/clusters", "text=minimal"),
    ("/clusters/production", "text=n3"),
    ("/clusters/production/plan", "[data-testid=plan-summary]"),
    ("/clusters/minimal/certificates", "table"),
    ("/clusters/minimal/backups", "text=Take a backup"),
    ("/clusters/minimal/capacity", "h1"),
    ("/clusters/minimal/change/upgrade", "text=Plan the upgrade"),
    ("/clusters/minimal/change/scale", "text=Plan the change"),
    ("/clusters/minimal/change/restore", "text=Plan the restoration"),
    ("/clusters/minimal/change/destroy", "[data-testid=plan-summary]"),
    ("/runs", "h1"),
    ("/topology", "text=virtual address"),
    ("/hosts", "text=192.0.2.11"),
    ("/definitions", "text=ha.yaml"),
    ("/definitions/ha", ".cm-content"),
    ("/audit", "h1"),
)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_used_by_everybody(server, visit, axe, scheme: str, width: int) -> None:
    page = visit(width=width, scheme=scheme)
    found = {}
    for address, sign in PAGES:
        page.goto(server.url + address)
        page.locator(sign).first.wait_for()
        page.locator("[aria-label=loading]").wait_for(state="detached")
        if faults := axe(page):
            found[address] = faults
        wide = page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
        if wide > 0:
            found[f"{address} sticks out"] = wide
    assert found == {}
