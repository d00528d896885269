"""Errors as problem documents (RFC 9457), with the same codes that the command line ends with."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from raijin.errors import (
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    Problem,
    RaijinError,
    RequestInvalid,
    RequestTooLarge,
    TooManyRequests,
    UsageError,
)
from raijin.observe.masking import masked

LOG = logging.getLogger("raijin.api")
MEDIA_TYPE = "application/problem+json"
MOST_FAULTS = 50


def problem_response(error: RaijinError, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """What a client is told of an error. Masked: an error may quote a host's output."""
    document = masked(error.problem() | {"request_id": request_id})
    more = dict(headers or {})
    if isinstance(error, NotAuthenticated):
        more["WWW-Authenticate"] = 'Bearer realm="raijin"'
    if isinstance(error, TooManyRequests):
        more.setdefault("Retry-After", "30")
    return Response(json.dumps(document), error.http_status, more, MEDIA_TYPE)


def request_id_of(request: Request) -> str:
    return str(request.scope.get("raijin_request_id", ""))


def install(api: FastAPI) -> None:
    """Let every way to fail end in a problem document."""

    async def ours(request: Request, error: Exception) -> Response:
        if not isinstance(error, RaijinError):
            raise error
        return problem_response(error, request_id_of(request))

    async def wrong_fields(request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        return problem_response(_invalid(error), request_id_of(request))

    async def http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        return problem_response(_of_http(error, request), request_id_of(request), error.headers)

    async def defect(request: Request, error: Exception) -> Response:
        LOG.error("a defect in %s %s", request.method, request.url.path, exc_info=error)
        ours = RaijinError("this is a defect of Raijin", remedy="please report it, with the request's id")
        return problem_response(ours, request_id_of(request))

    api.add_exception_handler(RaijinError, ours)
    api.add_exception_handler(RequestValidationError, wrong_fields)
    api.add_exception_handler(HTTPException, http)
    api.add_exception_handler(Exception, defect)


def _invalid(error: RequestValidationError) -> RaijinError:
    """All faults of a request, by where they are. What was given is not repeated: it may be a password."""
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return UsageError("the body is not JSON", remedy="send one JSON document")
    faults = [
        Problem(".".join(str(step) for step in item["loc"]), str(item["msg"]), _remedy(item))
        for item in found[:MOST_FAULTS]
    ]
    count = len(found)
    return RequestInvalid(f"the request has {count} fault{'s' if count != 1 else ''}", faults=faults)


def _remedy(item: Mapping[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        return "leave it out: there is no such field"
    return "give it" if item["type"] == "missing" else ""


def _of_http(error: HTTPException, request: Request) -> RaijinError:
    if error.status_code == 405:
        return MethodNotAllowed(f"{request.method} is not possible here", remedy="see /api/v1/openapi.json")
    if error.status_code == 413:
        return RequestTooLarge("the request is larger than this server reads", remedy="send less at once")
    if error.status_code == 404:
        return NotFound("there is nothing at this address", remedy="see /api/v1/openapi.json")
    return UsageError(str(error.detail), remedy="see /api/v1/openapi.json")
