"""Every error has one code, one exit code and one HTTP status, and the drawn tree says which."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import raijin
from raijin import errors
from raijin.errors import RaijinError


def everything() -> list[type[RaijinError]]:
    """All classes below RaijinError, in whatever module; importing all of the product finds them."""
    for module in pkgutil.walk_packages(raijin.__path__, "raijin."):
        if "__main__" not in module.name and "migrations" not in module.name:
            importlib.import_module(module.name)
    found: list[type[RaijinError]] = []
    waiting = [RaijinError]
    while waiting:
        for child in waiting.pop().__subclasses__():
            if child.__module__.startswith("raijin."):
                found.append(child)
                waiting.append(child)
    return sorted(set(found), key=lambda c: c.__name__)


PUBLIC = [cls for cls in everything() if not cls.__name__.startswith("_")]


def drawn() -> dict[str, tuple[int, int]]:
    """The tree of the module's text: name -> (exit code, HTTP status)."""
    rows = re.findall(r"[─│ ]*(\w+) +(\d+) +(\d{3}) ", errors.__doc__ or "")
    return {name: (int(code), int(status)) for name, code, status in rows}


def test_the_drawn_tree_is_the_real_one() -> None:
    real = {c.__name__: (c.exit_code, c.http_status) for c in PUBLIC if c.__module__ == "raijin.errors"}
    assert drawn() == real


def test_an_error_is_drawn_below_the_one_that_it_is() -> None:
    depth_of: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"( +[│├└─ ]*)(\w+) +\d+ +\d{3} ", line)
        if match:
            depth = len(match[1])
            while depth_of and depth_of[-1][0] >= depth:
                depth_of.pop()
            parent = depth_of[-1][1] if depth_of else "RaijinError"
            assert getattr(errors, match[2]).__bases__[0].__name__ == parent
            depth_of.append((depth, match[2]))


@pytest.mark.parametrize("cls", PUBLIC, ids=lambda c: c.__name__)
def test_an_error_is_complete(cls: type[RaijinError]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cls.code)
    assert 2 <= cls.exit_code < 100, "0 is done, 1 a defect, 100 is `plan --exit-code`"
    assert 400 <= cls.http_status < 600
    assert cls.__name__ in drawn() or cls.exit_code in {code for code, _ in drawn().values()}


def test_each_error_has_a_code_of_its_own() -> None:
    codes = [cls.code for cls in everything() if "code" in vars(cls)]
    assert len(codes) == len(set(codes))
    assert all("code" in vars(cls) for cls in PUBLIC), "a class without a code would pass for its parent"


def test_an_exit_code_means_one_kind_of_trouble() -> None:
    """Two classes share an exit code only when one is a kind of the other."""
    by_code: dict[int, list[type[RaijinError]]] = {}
    for cls in PUBLIC:
        by_code.setdefault(cls.exit_code, []).append(cls)
    for sharing in by_code.values():
        top = min(sharing, key=lambda c: len(c.__mro__))
        assert all(issubclass(cls, top) for cls in sharing), sharing


def test_a_problem_document_says_all_that_the_error_knows() -> None:
    error = errors.OperationFailed("it failed", host="alpha", remedy="mend it", detail="much output")
    assert error.problem() == {
        "type": "urn:raijin:error:operation-failed",
        "title": "operation failed",
        "status": 502,
        "detail": "it failed",
        "exit_code": 10,
        "transient": False,
        "host": "alpha",
        "remedy": "mend it",
        "output": "much output",
    }
    assert str(error) == "alpha: it failed"


def test_only_what_can_pass_is_transient() -> None:
    """Retry by class only: an error is transient when the same request may succeed later, unchanged."""
    transient = {cls.__name__ for cls in PUBLIC if cls.transient}
    assert transient == {
        "ApiLost", "HostUnreachable", "KubernetesUnavailable", "Locked", "ServerUnreachable", "TooManyRequests"
    }  # fmt: skip
