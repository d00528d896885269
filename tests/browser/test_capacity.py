"""The capacity page with the answers that the API documents as its examples: the twin measures nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from raijin.api.examples import CAPACITY, UTILISATION


def answered(document: Any) -> Callable[[Any], None]:
    return lambda route: route.fulfill(json=document)


def test_charts_numbers_and_arithmetic_are_shown(server, visit, axe) -> None:
    """The charts are drawn from two days of samples with a gap in them."""
    page = visit()
    point = UTILISATION["history"][0]
    times = [at * 3600.0 for at in (*range(20), *range(30, 48))]
    history = [point | {"at": UTILISATION["at"] - 48 * 3600 + at} for at in times]
    for name, document in (("utilisation", UTILISATION | {"history": history}), ("capacity", CAPACITY)):
        page.route(f"**/api/v1/clusters/minimal/{name}*", answered(document))
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{server.url}/clusters/minimal/capacity")
        page.locator("figure canvas").nth(1).wait_for()
        assert page.evaluate("""Array.from(document.querySelectorAll("figure canvas"), (chart) => {
            const pixels = chart.getContext("2d").getImageData(0, 0, chart.width, chart.height).data;
            return pixels.some((value) => value > 0);
        })""") == [True, True]
        page.get_by_role("heading", name="Is there room?").wait_for()
        page.get_by_text("How that is computed").nth(1).click()
        page.get_by_text(CAPACITY["resources"][0]["arithmetic"][0]).first.wait_for()
        page.get_by_role("cell", name=UTILISATION["nodes"][0]["name"]).first.wait_for()
        assert axe(page) == []
