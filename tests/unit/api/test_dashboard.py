"""The files of the dashboard as a browser gets them, and what nobody gets."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from raijin.api import problems
from raijin.api.dashboard import dashboard
from raijin.api.guard import Guard
from raijin.web.assets import Assets


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What a build leaves: a page, a script that is packed too, and beside the folder a file that is none of it."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Raijin</title>")
    (folder / "assets" / "index-1a2b.js").write_text("export {};" * 100)
    (folder / "assets" / "index-1a2b.js.gz").write_bytes(gzip.compress(b"export {};" * 100))
    (tmp_path / "secret").write_text("not for you")
    (folder / "link").symlink_to(tmp_path / "secret")
    return folder


def browser(folder: Path) -> httpx2.AsyncClient:
    api = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(api)
    api.include_router(dashboard(Assets(folder)))
    guarded = Guard(api, largest=1000)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=guarded), base_url="http://localhost")


@pytest.fixture
def client(built: Path) -> httpx2.AsyncClient:
    return browser(built)


@pytest.mark.parametrize("address", ["/", "/clusters", "/clusters/lab/plan", "/runs/20261127-1", "/login"])
async def test_the_page_is_at_every_address_of_its_own(client: httpx2.AsyncClient, address: str) -> None:
    answer = await client.get(address)
    assert answer.status_code == 200
    assert "<title>Raijin</title>" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_page_runs_no_script_but_the_server_s_own(client: httpx2.AsyncClient) -> None:
    policy = (await client.get("/")).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'self'"
    assert rules.get("script-src", "'self'") == "'self'"
    assert rules["frame-ancestors"] == "'none'"


async def test_a_file_with_a_hash_in_its_name_is_kept_for_ever(client: httpx2.AsyncClient) -> None:
    plain = await client.get("/assets/index-1a2b.js", headers={"Accept-Encoding": "identity"})
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in plain.headers["cache-control"]
    assert "content-encoding" not in plain.headers
    packed = await client.get("/assets/index-1a2b.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text


async def test_what_the_browser_has_is_not_sent_again(client: httpx2.AsyncClient) -> None:
    first = await client.get("/")
    again = await client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "address",
    [
        "/../secret", "/assets/../../secret", "/%2e%2e/secret", "/assets/%2e%2e%2f%2e%2e%2fsecret", "//etc/passwd",
        "/link", "/assets/nothing.js", "/assets", "/assets/index-1a2b.js.gz", "/index.html%00", "/etc/passwd",
    ],
)  # fmt: skip
async def test_nothing_else_is_served(client: httpx2.AsyncClient, address: str) -> None:
    answer = await client.get(address)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "not for you" not in answer.text


async def test_a_server_without_the_dashboard_says_how_to_build_it(tmp_path: Path) -> None:
    answer = await browser(tmp_path / "nothing").get("/")
    assert answer.status_code == 200
    assert "make dashboard" in answer.text


async def test_only_reading_is_possible(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/", json={})).status_code == 405
