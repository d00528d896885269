"""Every page in light and dark, on a desk and on a phone: nothing that axe objects to, nothing that sticks out."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.timeout(300)
PAGES = (
    ("/clusters", "text=minimal"),
    ("/clusters/production", "text=n3"),
    ("/clusters/production/plan", "text=61 steps"),
    ("/clusters/minimal/certificates", "table"),
    ("/clusters/minimal/backups", "text=Take a backup"),
    ("/clusters/minimal/capacity", "h1"),
    ("/runs", "h1"),
    ("/topology", "text=virtual address"),
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
