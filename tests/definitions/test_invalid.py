"""Wrong definitions and the exact messages they get, from `invalid.cases`: a text, `>>>>`, the problems in order."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from raijin.definition.load import load
from raijin.errors import DefinitionError

_CASES = re.split(r"^==== ", (Path(__file__).parent / "invalid.cases").read_text(encoding="utf-8"), flags=re.MULTILINE)


def _cases() -> list[tuple[str, str, str]]:
    cases = []
    for case in _CASES[1:]:
        name, _, rest = case.partition("\n")
        text, _, expected = rest.partition(">>>>\n")
        cases.append((name, text, expected))
    return cases


@pytest.mark.parametrize(("text", "expected"), [pytest.param(t, e, id=n) for n, t, e in _cases()])
def test_wrong_definition(text: str, expected: str) -> None:
    stream = io.StringIO(text)
    stream.name = "d.yaml"
    with pytest.raises(DefinitionError) as caught:
        load(stream, {})
    assert [str(problem) for problem in caught.value.problems] == expected.splitlines()


def test_every_problem_says_the_way_out() -> None:
    exempt = ("must be at", "must be a whole number", "must be true or false", "names no")
    for _, _, expected in _cases():
        for line in expected.splitlines():
            assert "; " in line or any(words in line for words in exempt), line


def test_no_secret_is_shown() -> None:
    assert not [expected for _, _, expected in _cases() if "hunter2" in expected or "123456" in expected]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"kind: Site\nname: caf\xe9\n")
    (tmp_path / "empty").mkdir()
    paths = [tmp_path / "latin.yaml", tmp_path / "empty", tmp_path / "none.yaml"]
    with pytest.raises(DefinitionError) as caught:
        load(paths, {})
    assert [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems] == [
        "latin.yaml: file: is not UTF-8 text (byte 20); save it as UTF-8",
        "empty: folder: holds no definition; name a folder with .yaml, .yml or .json files",
        "none.yaml: file: does not exist; check the path, or run `raijin init`",
    ]


def test_a_broken_site_does_not_make_its_hosts_unknown() -> None:
    text = """\
kind: Site
hosts: [{name: n1, port: 22}]
---
kind: Cluster
name: prod
type: VANILLA
version: v1.34.2
nodeGroups: [{name: cp, role: CONTROL_PLANE, hosts: [n1]}]
"""
    with pytest.raises(DefinitionError) as caught:
        load(io.StringIO(text), {})
    assert [problem.path for problem in caught.value.problems] == ["hosts[0].port"]


def test_nesting_is_bounded() -> None:
    for text in ("[" * 100_000, "- " * 100_000, "{a: " * 100_000):
        with pytest.raises(DefinitionError, match="is nested more than 100 levels deep"):
            load(io.StringIO(text), {})


def test_an_alias_inside_itself_is_refused() -> None:
    with pytest.raises(DefinitionError, match="contain themselves"):
        load(io.StringIO("kind: Template\nname: x\ndefinition: &d\n  inner: *d\n"), {})
