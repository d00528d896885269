"""The parts of the authorization code flow that a server and a command line share (RFC 6749, RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from raijin.errors import NotAuthenticated, ServerUnreachable
from raijin.transport.http import Http, HttpFailure


def authorization(provider: Mapping[str, Any], back: str, *, state: str, nonce: str, verifier: str) -> str:
    """The address at which somebody logs in. provider: what `GET /oidc` says of it. back: where the answer goes."""
    asked = {
        "response_type": "code", "client_id": provider["client_id"], "scope": provider["scope"],
        "redirect_uri": back, "state": state, "nonce": nonce,
        "code_challenge": _challenge(verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    return f"{provider['authorization_endpoint']}?{urlencode(asked)}"


def _challenge(verifier: str) -> str:
    """S256 of PKCE: what is shown first of a secret that is told later."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def exchange_code(http: Http, endpoint: str, client: str, *, code: str, verifier: str, back: str) -> str:
    """The ID token for a code. Raises NotAuthenticated when the provider refuses, ServerUnreachable."""
    form = {
        "grant_type": "authorization_code", "client_id": client, "code": code, "code_verifier": verifier,
        "redirect_uri": back,
    }  # fmt: skip
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    try:
        reply = await http.send("POST", endpoint, headers, urlencode(form).encode())
    except HttpFailure as failure:
        raise ServerUnreachable(f"the provider does not answer: {failure.reason}", remedy="try again") from failure
    try:
        found = json.loads(reply.body)
    except ValueError:
        found = {}
    if reply.status >= 400 or not isinstance(found, dict) or not found.get("id_token"):
        said = str(found.get("error", "no ID token"))[:80] if isinstance(found, dict) else "no document"
        raise NotAuthenticated(f"the provider gave nothing for the code: {said}", remedy="log in again")
    return str(found["id_token"])
