"""What the OpenAPI document says of every operation beside its own: the problems that it may answer with."""

from __future__ import annotations

from typing import Any

from raijin.api.problems import MEDIA_TYPE
from raijin.api.wire import Problem

_WORDS = {
    400: "The request itself is wrong.",
    401: "Nobody knows who asks.",
    403: "Who asks may not do this.",
    404: "There is no such thing.",
    409: "It must not be done now: the plan is refused or stale, or a key was used for something else.",
    412: "The document has changed since it was read.",
    413: "The request is too large.",
    415: "A body of this type is not read.",
    422: "A field of the request or the definition is wrong, or cannot be served yet.",
    423: "Another run holds the cluster.",
    429: "Too many requests.",
    500: "The run, the state or Raijin itself failed.",
    502: "A host, a cluster or an upstream could not be used.",
    504: "A condition did not become true in time.",
}
_EVERY = (400, 401, 403, 413, 415, 422, 429, 500)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation that may also end with these statuses."""
    return {
        status: {"description": _WORDS[status], "content": {MEDIA_TYPE: {"schema": _SCHEMA}}}
        for status in sorted({*_EVERY, *statuses})
    }


_SCHEMA = {"$ref": "#/components/schemas/Problem"}
LOOKING = problems(404)
HOSTS = problems(404, 409, 502, 504)
CHANGING = problems(404, 409, 412, 423)


def accepted(description: str) -> dict[str, Any]:
    """The 202 of long work."""
    location = {"description": "Where the run is.", "schema": {"type": "string", "format": "uri-reference"}}
    return {"description": description, "headers": {"Location": location}}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Put in what every `$ref` above names, and how callers are known."""
    parts = document.setdefault("components", {})
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts.setdefault("schemas", {})["Problem"] = schema
    parts["schemas"].pop("HTTPValidationError", None)
    parts["schemas"].pop("ValidationError", None)
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "An API token of this server."},
        "session": {"type": "apiKey", "in": "cookie", "name": "raijin_session"},
    }
    document["security"] = [{"token": []}, {"session": []}]
    return document
