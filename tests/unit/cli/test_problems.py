"""Errors on the command line. Laws: one message, one way out, one exit code; only data on standard output."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from raijin import cli, errors
from raijin.errors import DefinitionError, OperationFailed, Problem, RaijinError
from raijin.observe.masking import MASKER

SECRET = "the-hidden-value-of-all"


def classes() -> list[type[RaijinError]]:
    found: list[type[RaijinError]] = []
    waiting = [RaijinError]
    while waiting:
        for child in waiting.pop().__subclasses__():
            if child.__module__ == "raijin.errors":
                found.append(child)
                waiting.append(child)
    return found


def made(cls: type[RaijinError]) -> RaijinError:
    if cls is DefinitionError:
        return DefinitionError([Problem("a.b", "is wrong", "mend it", "lab.yaml", 3, 5, "x")])
    return cls("it broke", host="alpha", remedy="mend it", detail="all the output")


@pytest.fixture
def fail(raijin, monkeypatch: pytest.MonkeyPatch):
    """`fail(error, *arguments)`: what a command says that ends with this error."""

    def run(error: BaseException, *arguments: str):
        @click.command()
        @click.option("-o", "--output")
        def broken(output: str | None) -> None:
            del output
            click.echo("some data")
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(cli.raijin, "get_command", lambda *_: broken)
            return raijin("broken", *arguments)

    return run


@pytest.mark.parametrize("cls", classes(), ids=lambda c: c.__name__)
def test_each_error_has_its_exit_code_and_speaks_on_standard_error(fail, cls: type[RaijinError]) -> None:
    error = made(cls)
    said = fail(error)
    assert said.code == cls.exit_code
    assert said.out == "some data\n"
    assert said.err.startswith("error: ")
    if cls is not DefinitionError:
        assert said.err == "error: alpha: it broke\nhint: mend it\n"


@pytest.mark.parametrize("cls", classes(), ids=lambda c: c.__name__)
@pytest.mark.parametrize("form", [("--output", "json"), ("-o", "json"), ("--output=json",)], ids=" ".join)
def test_machines_get_a_problem_document(fail, cls: type[RaijinError], form: tuple[str, ...]) -> None:
    error = made(cls)
    said = fail(error, *form)
    assert said.code == cls.exit_code
    assert said.out == "some data\n"
    assert json.loads(said.err) == json.loads(json.dumps(error.problem()))


def test_the_shortest_way_to_ask_for_json(fail) -> None:
    assert json.loads(fail(OperationFailed("it broke"), "-ojson").err)["exit_code"] == 10


def test_a_wrong_option_is_a_problem_document_too(raijin) -> None:
    said = raijin("schema", "--nonsense", "--output", "json")
    assert said.code == 2
    assert json.loads(said.err)["exit_code"] == 2


def test_all_faults_of_a_definition_with_place_and_way_out(fail) -> None:
    problems = [
        Problem("spec.hosts[0]", "is no name", "use a-z", "lab.yaml", 3, 5, "A_b"),
        Problem("kind", "is missing"),
    ]
    said = fail(DefinitionError(problems))
    assert said.err.splitlines() == [
        "error: the definition has 2 problems",
        "  lab.yaml:3:5: spec.hosts[0]: is no name (got A_b)",
        "      use a-z",
        "  kind: is missing",
    ]


def test_the_whole_output_is_there_for_who_asks(fail, monkeypatch: pytest.MonkeyPatch) -> None:
    error = OperationFailed("it broke", detail="line 1\nline 2")
    assert "line 2" not in fail(error).err
    monkeypatch.setenv("RAIJIN_DEBUG", "1")
    assert "line 1\nline 2" in fail(error).err


def test_a_defect_is_called_one(fail, monkeypatch: pytest.MonkeyPatch) -> None:
    said = fail(KeyError("what"))
    assert said.code == 1
    assert said.err.startswith("defect: KeyError: 'what'\nhint: this is a defect of Raijin")
    assert "Traceback" not in said.err
    monkeypatch.setenv("RAIJIN_DEBUG", "1")
    assert "Traceback" in fail(KeyError("what")).err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.exceptions.Abort()], ids=["ctrl-c", "abort"])
def test_stopping_is_no_defect(fail, error: BaseException) -> None:
    said = fail(error)
    assert said.code == 130
    assert said.err.strip() == "stopped"


@pytest.mark.parametrize("form", [(), ("-o", "json")], ids=["text", "json"])
@pytest.mark.parametrize("where", ["message", "remedy", "detail"])
def test_no_secret_is_printed(fail, monkeypatch: pytest.MonkeyPatch, form: tuple[str, ...], where: str) -> None:
    monkeypatch.setenv("RAIJIN_DEBUG", "1")
    MASKER.add(SECRET)
    parts = {"message": "it broke", "remedy": "mend it", "detail": "output"} | {where: f"it said {SECRET}!"}
    said = fail(OperationFailed(parts["message"], remedy=parts["remedy"], detail=parts["detail"]), *form)
    assert SECRET not in said.err
    assert "it said ***!" in said.err


@pytest.mark.parametrize("secret", ['pass"word"s', "back\\slash", "pässwörd", "two\nlines of it"])
def test_no_secret_is_printed_in_another_spelling(fail, secret: str) -> None:
    MASKER.add(secret)
    said = fail(OperationFailed(f"it said {secret}!"), "-o", "json")
    assert "***" in json.loads(said.err)["detail"]


def test_colour_is_for_terminals_only(process, tmp_path: Path) -> None:
    for environment in ({}, {"NO_COLOR": "1"}, {"TERM": "xterm-256color"}):
        said = process("check", str(tmp_path / "absent.yaml"), **environment)
        assert said.code != 0
        assert "error:" in said.err
        assert "\x1b" not in said.err + said.out


def test_no_definition_says_how_to_get_one(raijin) -> None:
    for command in (["plan"], ["apply", "--yes"], ["status"], ["destroy", "--yes"]):
        said = raijin(*command)
        assert said.code == 2
        assert "there is no raijin.yaml here" in said.err
        assert "raijin init" in said.err


def test_asking_what_was_run_creates_nothing(raijin, home: Path) -> None:
    said = raijin("run", "list", "-o", "json")
    assert (said.code, json.loads(said.out), said.err) == (0, [], "")
    for command in (["run", "show"], ["run", "cancel"], ["run", "resume"]):
        said = raijin(*command)
        assert said.code == 18
        assert "RAIJIN_HOME" in said.err
    assert not home.exists()


def test_the_exit_codes_of_the_tree_are_all_below_those_of_plan() -> None:
    taken = {0, 1, 20, 100, 130}  # done, a defect, `status`: not healthy, `plan --exit-code`, Ctrl-C
    assert not taken & {cls.exit_code for cls in classes()}
    assert max(cls.exit_code for cls in classes()) < 100
    assert errors.RaijinError.exit_code == 1


def test_the_schema_is_data(raijin) -> None:
    said = raijin("schema")
    assert (said.code, said.err) == (0, "")
    assert json.loads(said.out)["$schema"]


def test_a_broken_pipe_is_no_defect(process) -> None:
    python = (
        "import os, sys\n"
        "reader, writer = os.pipe(); os.close(reader); os.dup2(writer, 1)\n"
        "sys.argv = ['raijin', 'schema']\n"
        "from raijin.cli import main\n"
        "main()\n"
    )
    said = process(python=python)
    assert "defect" not in said.err
    assert "Traceback" not in said.err
