"""The dashboard: its files, and its page at every address of its own. The page asks the API like any other client."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from raijin.errors import NotFound
from raijin.web.assets import Asset, Assets

PAGES = ("clusters", "runs", "hosts", "topology", "definitions", "audit", "users", "account", "login")
"""The first words of addresses that are the page's own affair; the page itself knows what is at each."""
NOT_BUILT = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Raijin</title></head>
<body>
<main>
<h1>Raijin</h1>
<p>This server answers, and its dashboard was not built.</p>
<p>In a clone of the repository, <code>make dashboard</code> builds it, then start the server again.
A released wheel has it.</p>
<p>The API is there: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a></p>
</main>
</body>
</html>
"""


def dashboard(assets: Assets) -> APIRouter:
    """Below all other addresses: what is none of the dashboard's stays a problem document."""
    router = APIRouter(include_in_schema=False)

    def page(request: Request) -> Response:
        found = assets.get("index.html")
        return HTMLResponse(NOT_BUILT) if found is None else _answer(request, found)

    router.add_api_route("/", page, methods=["GET", "HEAD"])
    for word in PAGES:
        router.add_api_route(f"/{word}", page, methods=["GET", "HEAD"])
        router.add_api_route(f"/{word}/{{rest:path}}", page, methods=["GET", "HEAD"])

    def file(request: Request, address: str) -> Response:
        found = assets.get(address)
        if found is None:
            raise NotFound("there is nothing at this address", remedy="the dashboard is at /")
        return _answer(request, found)

    router.add_api_route("/{address:path}", file, methods=["GET", "HEAD"])
    return router


def _answer(request: Request, asset: Asset) -> Response:
    headers = {"Cache-Control": asset.cache, "ETag": f'"{asset.etag}"', "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == f'"{asset.etag}"':
        return Response(status_code=304, headers=headers)
    packed = bool(asset.packed) and "gzip" in request.headers.get("accept-encoding", "")
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(asset.packed if packed else asset.content, headers=headers, media_type=asset.media_type)
