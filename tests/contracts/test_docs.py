"""The documentation names only what exists, and everything that exists is documented."""

from __future__ import annotations

import importlib.util
import ipaddress
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "raijin"
PAGES = [
    *(
        ROOT / name
        for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md")
    ),
    *sorted((ROOT / "docs").rglob("*.md")),
]
WRITTEN = [page for page in PAGES if page.parent.name != "reference"]

INVENTED = {"src/raijin/operations/symlink.py", "src/raijin/web/dist"}
"""What a recipe makes, so that it is not there."""

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"scripts_{name}", ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    return load_script("reference")


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def codes(page: Path) -> list[str]:
    """Everything in backticks that is not in a fenced block."""
    return [found[1] for found in CODE.finditer(FENCE.sub("", text_of(page)))]


def shell_lines(page: Path) -> Iterator[str]:
    """Lines of shell blocks, comments cut off."""
    for kind, body in FENCE.findall(text_of(page)):
        if kind == "sh":
            yield from (line.partition(" #")[0].strip() for line in body.splitlines())


def calls(page: Path, program: str) -> list[str]:
    return [text for text in (*codes(page), *shell_lines(page)) if re.match(rf"{program}( |$)", text)]


def by_page(page: Path) -> str:
    return str(page.relative_to(ROOT))


@cache
def commands() -> dict[str, click.Command]:
    return dict(load_script("reference").commands())


def options_of(command: click.Command) -> set[str]:
    return {"-h", "--help"} | {o for item in command.params for o in (*item.opts, *item.secondary_opts)}


@pytest.mark.parametrize("page", PAGES, ids=by_page)
def test_commands_and_their_options_exist(page: Path) -> None:
    known = commands()
    groups = {name.rpartition(" ")[0] for name in known}
    for call in calls(page, "raijin"):
        words = call.split()
        name = max((n for n in (*known, *groups) if words[: len(n.split())] == n.split()), key=len, default="")
        rest = words[len(name.split()) :]
        assert name in known or not rest or rest[0].startswith("-"), call
        allowed = options_of(known[name]) if name in known else {"-h", "--help", "-V", "--version"}
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= allowed, f"{call}: {', '.join(sorted(used - allowed))}"


@pytest.mark.parametrize("page", WRITTEN, ids=by_page)
def test_an_option_on_its_own_exists_somewhere(page: Path) -> None:
    everything = {option for command in commands().values() for option in options_of(command)}
    for code in codes(page):
        if re.match(r"--?[a-z]", code):
            assert code.split()[0] in everything, code


@pytest.mark.parametrize("page", WRITTEN, ids=by_page)
def test_backticks_come_in_pairs_on_each_line(page: Path) -> None:
    """Otherwise what stands between them could not be checked here."""
    for line in FENCE.sub("", text_of(page)).splitlines():
        assert line.count("`") % 2 == 0, line


@pytest.mark.parametrize("page", PAGES, ids=by_page)
def test_make_verbs_exist(page: Path) -> None:
    verbs = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    for call in calls(page, "make"):
        assert set(call.split()[1:2]) <= verbs, call


@pytest.mark.parametrize("page", PAGES, ids=by_page)
def test_paths_exist(page: Path) -> None:
    tops = {path.name for path in ROOT.iterdir() if path.name not in {".git", "raijin.yaml"}}
    packages = {path.name for path in PACKAGE.iterdir()}
    # What is built, and in no commit, need not be there.
    built = {line.strip().strip("/") for line in text_of(ROOT / ".gitignore").splitlines()}
    for code in codes(page):
        path = code.split("::")[0].removeprefix("python ").split()[0]
        if not re.fullmatch(r"[\w.-]+(/[\w.*-]+)*/?", path) or path in INVENTED:
            continue
        first = path.partition("/")[0]
        if "/" in path and first in tops:
            assert (ROOT / path).exists() or path.rstrip("/") in built, path
        elif "/" in path and first in packages:
            assert (PACKAGE / path).exists(), path
        elif path.endswith((".py", ".toml", ".md")) and "/" not in path:
            assert path in tops | packages, path


@pytest.mark.parametrize("page", PAGES, ids=by_page)
def test_links_lead_somewhere(page: Path, reference: ModuleType) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text_of(page))):
        assert "://" not in target, f"a link out of the repository: {target}"
        file, _, heading = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", text_of(there), re.MULTILINE)
            assert heading in {reference.anchor(title) for title in headings}, target


@pytest.mark.parametrize("page", PAGES, ids=by_page)
def test_definitions_are_valid(page: Path) -> None:
    from raijin.definition.load import load

    for kind, body in FENCE.findall(text_of(page)):
        if kind == "yaml" and body.startswith("kind:"):
            load(StringIO(body), {})


def test_the_definition_of_the_readme_can_be_applied_and_is_short() -> None:
    from raijin.app.unsupported import unsupported
    from raijin.definition.load import load

    body = next(body for kind, body in FENCE.findall(text_of(ROOT / "README.md")) if kind == "yaml")
    assert len(body.splitlines()) <= 12
    definition = load(StringIO(body), {})
    assert unsupported(definition.cluster()) == []


@pytest.mark.parametrize("page", WRITTEN, ids=by_page)
def test_fields_of_the_definition_exist(page: Path) -> None:
    """`policy.onHostFailure`: where the first word is a field of Site, Cluster or Host, the others must follow it."""
    from raijin.definition.schema import schema

    models: dict[str, Any] = schema()["$defs"]
    fields = load_script("reference").fields_of

    def below(model: dict[str, Any]) -> list[dict[str, Any]]:
        names = re.findall(r"#/\$defs/(\w+)", repr(model))
        return [models[name] for name in names]

    def follows(model: dict[str, Any], words: list[str]) -> bool:
        own = fields(model)
        if not words:
            return True
        if words[0] not in own:
            return False
        inner = below(own[words[0]])
        return not words[1:] or any(follows(item, words[1:]) for item in inner)

    starts = [models[name] for name in ("Site", "Cluster", "Host")]
    for code in codes(page):
        if re.fullmatch(r"[a-z][A-Za-z]+(\.[a-z][A-Za-z]+)+", code) and not code.endswith(
            (".yaml", ".json", ".sh", ".py")
        ):
            words = code.split(".")
            rooted = [model for model in starts if words[0] in fields(model)]
            assert not rooted or any(follows(model, words) for model in rooted), code


def test_the_reference_is_what_the_code_says(reference: ModuleType) -> None:
    assert reference.stale() == [], "run `python scripts/reference.py`"


def test_everything_is_in_the_reference(reference: ModuleType) -> None:
    from raijin.facts import ABILITIES
    from raijin.operations import CATALOGUE

    folder = ROOT / "docs" / "reference"
    for name, command in commands().items():
        section = text_of(folder / "cli.md").partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert section, name
        assert all(
            o in section
            for item in command.params
            if isinstance(item, click.Option) and not item.hidden
            for o in item.opts
        ), name
    assert all(f"## {kind.__name__}\n" in text_of(folder / "operations.md") for kind in CATALOGUE)
    assert all(f"## {ability.name}\n" in text_of(folder / "facts.md") for ability in ABILITIES)
    assert all(f"`{row.name}`" in text_of(folder / "errors.md") for row in reference.error_rows())


def test_every_error_of_the_tree_is_drawn(reference: ModuleType) -> None:
    from raijin import errors

    for row in reference.error_rows():
        kind = getattr(errors, row.name, None)
        if kind is not None:
            line = re.search(rf" {row.name}\s+(\d+)\s+(\d+) ", errors.__doc__ or "")
            assert line is not None, row.name
            assert (int(line[1]), int(line[2])) == (row.exit_code, row.status), row.name


def test_every_exit_code_has_its_way_out(reference: ModuleType) -> None:
    from raijin.cli.commands.status import UNHEALTHY

    page = text_of(ROOT / "docs" / "how-to" / "troubleshooting.md")
    wanted = {row.exit_code for row in reference.error_rows()} | {0, 1, UNHEALTHY, 100, 130}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == wanted


def test_every_variable_is_documented_and_exists(reference: ModuleType) -> None:
    from raijin.definition.environment import Overrides

    page = text_of(ROOT / "docs" / "reference" / "environment.md")
    sources = [*PACKAGE.rglob("*.py"), *(ROOT / "scripts").iterdir(), *(ROOT / "bench").glob("*"), ROOT / "Makefile"]
    sources += [ROOT / ".ci" / "run", ROOT / "tests" / "lab" / "conftest.py"]
    used = {
        name
        for source in sources
        if source.is_file()
        for name in re.findall(r"\b_?RAIJIN_[A-Z_]*[A-Z](?![A-Z_*])", source.read_text(encoding="utf-8"))
    }
    known = {str(field.alias) for field in Overrides.model_fields.values()}
    known |= {name for name, _ in (*reference.OTHER_VARIABLES, *reference.DEVELOPER_VARIABLES)}
    assert used <= known
    assert all(f"`{name}`" in page for name in known)
    for written in PAGES:
        named = re.findall(r"\b_?RAIJIN_[A-Z_]*[A-Z](?![A-Z_*])", text_of(written))
        assert set(named) <= known, by_page(written)


def test_the_map_has_every_package_and_every_dependency() -> None:
    page = text_of(ROOT / "ARCHITECTURE.md")
    packages = [path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()]
    assert all(f"`{name}/`" in page for name in packages)
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    section = page.partition("## Dependencies")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| ([a-z0-9-]+) \|", section, re.MULTILINE)
    assert sorted(set(listed) - {"package"}) == sorted(
        re.split(r"[<>=\[]", name)[0] for name in project["dependencies"]
    )


def test_every_setting_of_the_lab_is_explained() -> None:
    from raijin.app.lab import LAB_KUBEADM

    def leaves(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield str(key)
                yield from leaves(inner)

    page = text_of(ROOT / "docs" / "explanation" / "lab.md")
    assert [key for key in leaves(LAB_KUBEADM) if key not in page] == []


def test_every_example_is_listed() -> None:
    page = text_of(ROOT / "examples" / "README.md")
    files = [path.name for path in (ROOT / "examples").iterdir() if path.suffix in {".yaml", ".json"}]
    assert [name for name in files if f"({name})" not in page] == []


def test_every_page_is_in_the_index() -> None:
    folder = ROOT / "docs"
    index = text_of(folder / "README.md")
    pages = [str(page.relative_to(folder)) for page in folder.rglob("*.md") if page.name != "README.md"]
    assert [name for name in pages if f"({name})" not in index] == []


@pytest.mark.parametrize("page", PAGES, ids=by_page)
def test_no_real_machine_is_named(page: Path) -> None:
    """No path of somebody's machine, no address outside of the ranges for documentation and benchmarks."""
    assert re.findall(r"(?<![\w.$~-])/(?:home|work|root|tmp|Users)/\w+", text_of(page)) == []
    allowed = [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15")]
    allowed.append(ipaddress.ip_network("127.0.0.0/8"))
    for text in re.findall(r"(?<![\d./v-])\d{1,3}(?:\.\d{1,3}){3}(?![\d./-])", text_of(page)):
        assert any(ipaddress.ip_address(text) in network for network in allowed), text


def test_pictures_are_current_and_refer_to_nothing_outside() -> None:
    capture = load_script("capture")
    pictures = sorted((ROOT / "docs" / "images").glob("*.svg"))
    assert pictures
    for picture in pictures:
        svg = text_of(picture)
        assert svg == capture.picture(text_of(picture.with_suffix(".ansi")), f"raijin {picture.stem}")
        assert {a for a in re.findall(r"https?://[^\"'\s)]+", svg) if "www.w3.org" not in a} == set()
        assert "@font-face" not in svg
