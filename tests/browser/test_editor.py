"""The editor of definitions: what it offers, what it objects to, what it keeps."""

from __future__ import annotations

import httpx2


def editor(page):
    """CodeMirror's text, with the cursor at its end."""
    content = page.locator(".cm-content")
    content.click()
    page.keyboard.press("Control+End")
    return content


def test_fields_and_values_are_offered_by_the_schema(server, visit) -> None:
    page = visit(f"{server.url}/definitions/fresh", quiet=False)
    editor(page)
    page.keyboard.type("kind: Cluster\nversion: v1.34.2\nty")
    page.locator(".cm-completionLabel", has_text="type").first.wait_for()
    page.keyboard.press("Control+Space")
    page.wait_for_timeout(150)  # CodeMirror takes no key for a moment, so that nobody accepts what has just come up
    page.keyboard.press("Enter")
    page.locator(".cm-line", has_text="type: ").wait_for()
    page.keyboard.type("VAN")
    page.locator(".cm-completionLabel", has_text="VANILLA").wait_for()


def test_a_fault_is_shown_at_its_place_and_cannot_be_saved(server, visit) -> None:
    page = visit(f"{server.url}/definitions/minimal", quiet=False)
    page.locator(".state", has_text="valid, 3 hosts").wait_for()
    editor(page)
    page.keyboard.type("colour: blue\n")
    page.locator(".cm-lint-marker-error").wait_for()
    page.get_by_role("alert").get_by_text("colour").wait_for()
    assert page.get_by_role("button", name="Save").is_disabled()


def test_what_somebody_else_has_changed_is_not_written_over(server, visit) -> None:
    page = visit(f"{server.url}/definitions/minimal", quiet=False)
    page.locator(".state", has_text="valid, 3 hosts").wait_for()
    address = f"{server.url}/api/v1/definitions/minimal"
    read = httpx2.get(address, timeout=30)
    headers = {"Content-Type": "application/yaml", "If-Match": read.headers["ETag"]}
    changed = httpx2.put(address, content=read.content + b"# by another hand\n", headers=headers, timeout=30)
    assert changed.status_code == 200
    editor(page)
    page.keyboard.type("# mine\n")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").get_by_text("It was not saved").wait_for()
    page.reload()
    page.get_by_text("# by another hand").wait_for()
    editor(page)
    page.keyboard.type("# and mine\n")
    page.get_by_role("button", name="Save").click()
    page.locator(".state", has_text="saved").wait_for()
    assert httpx2.get(address, timeout=30).content.endswith(b"# by another hand\n# and mine\n")
