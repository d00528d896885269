"""The reference pages, written from the code: commands, definition, operations, facts, errors, environment, API.

    python scripts/reference.py            write docs/reference/*.md
    python scripts/reference.py --check    exit code 1 when one of them is stale; changes nothing

A page says what the code says: to change a page, change the help text, description or docstring that it is made of.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
import sys
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "reference"
NOTE = "<!-- Written by scripts/reference.py from the code. Do not edit: `python scripts/reference.py` -->"

OTHER_VARIABLES: tuple[tuple[str, str], ...] = (
    ("RAIJIN_DEBUG", "When set: errors come with the full output of the host, and defects with a traceback."),
    ("RAIJIN_LAB_CACHE", "Where the lab keeps its base image and its built bundle. Default: `~/.cache/raijin-lab`."),
    (
        "RAIJIN_DATABASE_URL",
        "A PostgreSQL database (`postgresql://USER@HOST/NAME`) that several servers share. Default: SQLite.",
    ),
    ("RAIJIN_SERVER", "The server that does what commands with `--server` ask for. Default: none."),
    ("_RAIJIN_COMPLETE", "Set by the shell's completion script, never by people."),
)
"""Variables of the program that are no fields of the definition's Overrides."""

DEVELOPER_VARIABLES: tuple[tuple[str, str], ...] = (
    ("RAIJIN_DEV_CACHE", "Where `scripts/uv` keeps its private uv. Default: `~/.cache/raijin-dev`."),
    ("RAIJIN_REQUIRE_LAB", "When set, lab tests that cannot run are a failure instead of being skipped (CI)."),
    (
        "RAIJIN_LAB_PARTS",
        "Parts of the lab, with commas, whose tests run too: `authorities`, `calico`, `ha`. CI names none.",
    ),
    (
        "RAIJIN_BENCH_CACHE",
        "Where `bench/run` keeps the tools that it compares with. Default: `~/.cache/raijin-bench`.",
    ),
    ("RAIJIN_BENCH_TOOLS", "Set by `bench/run`: the environment that holds those tools."),
)


def page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTE, *(part.strip("\n") for part in parts)]) + "\n"


def table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(headers)
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(cell(text) for text in row)} |" for row in rows]
    return "\n".join(lines)


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def prose(text: str | None) -> str:
    """A docstring as Markdown: paragraphs unwrapped, indented blocks as code, `name: what` lists kept as they are."""
    blocks = re.split(r"\n\s*\n", inspect.cleandoc(text or ""))
    return "\n\n".join(block if block.startswith("    ") else " ".join(block.split()) for block in blocks)


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# --- commands ---------------------------------------------------------------------------------------------------------


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name, in the order of the help."""
    from raijin.cli import raijin  # noqa: PLC0415

    def walk(prefix: str, group: click.Group) -> Iterator[tuple[str, click.Command]]:
        context = click.Context(group, info_name=prefix, **raijin.context_settings)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if command is None:
                raise LookupError(f"{prefix} {name} is in the table and nowhere else")
            if isinstance(command, click.Group):
                yield from walk(f"{prefix} {name}", command)
            else:
                yield f"{prefix} {name}", command

    yield from walk("raijin", raijin)


def cli_page() -> str:
    found = list(commands())
    listing = table(
        ("command", "what it does"),
        ([f"[`{name}`](#{anchor(name)})", command.get_short_help_str(200)] for name, command in found),
    )
    codes = table(("exit code", "meaning"), exit_codes())
    parts = [
        (
            "Data goes to standard output, everything else to standard error. `raijin --version` prints the version; "
            "`-h` and `--help` explain any command."
        ),
        listing,
        "## Exit codes",
        codes,
        *(command_section(name, command) for name, command in found),
    ]
    return page("Commands", *parts)


def exit_codes() -> Iterator[tuple[str, str]]:
    yield "0", "done, or nothing to do"
    yield "1", "a defect in Raijin; for `raijin status`: not everything is Ready"
    by_code: dict[int, list[str]] = {}
    for item in error_rows():
        by_code.setdefault(item.exit_code, []).append(f"[{item.name}](errors.md)")
    for code, names in sorted(by_code.items()):
        yield str(code), ", ".join(names)
    yield "100", "`raijin plan --exit-code` only: something is to be done"
    yield "130", "stopped by Ctrl-C before a run began, or by the second Ctrl-C in a run"


def command_section(name: str, command: click.Command) -> str:
    from raijin.cli import raijin  # noqa: PLC0415

    # A command keeps the names of its help option from the first context that asks it.
    context = click.Context(command, info_name=name, **raijin.context_settings)
    text = inspect.cleandoc(command.help or "")
    before, mark, verbatim = text.partition("\b\n")
    body = prose(before)
    if mark:
        body += f"\n\n```\n{verbatim}\n```"
    usage = command.get_usage(context).removeprefix("Usage: ")
    rows = [
        (f"`{'`, `'.join([*item.opts, *item.secondary_opts])}`{value_of(item)}", option_help(item))
        for item in command.params
        if isinstance(item, click.Option) and not item.hidden
    ]
    parts = [f"## {name}", body, f"```\n{' '.join(usage.split())}\n```"]
    if rows:
        parts.append(table(("option", "meaning"), rows))
    return "\n\n".join(parts)


def value_of(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return f" {' or '.join(f'`{choice}`' for choice in option.type.choices)}"
    return f" {option.metavar or option.type.name.upper()}"


def option_help(option: click.Option) -> str:
    default = option.default
    shown = option.show_default and default not in (None, ()) and not option.is_flag
    text = option.help or ""
    if shown:
        text += f" Default: `{default}`."
    if option.is_flag and option.secondary_opts:
        text += f" Default: `{option.opts[0] if default else option.secondary_opts[0]}`."
    return text + (" May be repeated." if option.multiple and "repeated" not in text else "")


# --- errors -----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class ErrorRow:
    name: str
    depth: int
    exit_code: int
    status: int
    code: str
    transient: bool
    text: str


_TREE_LINE = re.compile(r"^\s*[│├└─ ]+ (?P<name>[A-Z]\w+)\s+\d+\s+\d+\s+(?P<text>.+)$")


def error_rows() -> list[ErrorRow]:
    """Every error of the tree, parents before children, with the line that the tree has about it."""
    from raijin import errors  # noqa: PLC0415

    import_everything()
    drawn = {m["name"]: m["text"] for line in (errors.__doc__ or "").splitlines() if (m := _TREE_LINE.match(line))}

    def below(parent: type[errors.RaijinError], depth: int) -> Iterator[ErrorRow]:
        for item in parent.__subclasses__():
            if not item.__name__.startswith("_") and item.__module__.startswith("raijin."):
                text = drawn.get(item.__name__, prose(item.__doc__)).removeprefix("... ")
                yield ErrorRow(item.__name__, depth, item.exit_code, item.http_status, item.code, item.transient, text)
                yield from below(item, depth + 1)

    return list(below(errors.RaijinError, 0))


def import_everything() -> None:
    """So that an error that is defined beside its use is found too."""
    import raijin  # noqa: PLC0415

    for module in pkgutil.walk_packages(raijin.__path__, "raijin."):
        if not module.name.startswith(("raijin.__main__", "raijin.state.migrations")):
            importlib.import_module(module.name)


def errors_page() -> str:
    rows = [
        (
            "&nbsp;&nbsp;&nbsp;" * item.depth + f"`{item.name}`",
            item.text,
            str(item.exit_code),
            str(item.status),
            f"`urn:raijin:error:{item.code}`",
            "yes" if item.transient else "",
        )
        for item in error_rows()
    ]
    return page(
        "Errors",
        "Every error that Raijin raises on purpose stands in one tree (`src/raijin/errors.py`). Each says what "
        "broke, on which host, and the way out. What to do about each: "
        "[troubleshooting](../how-to/troubleshooting.md).",
        table(("error", "meaning", "exit code", "HTTP status", "type", "a retry can help"), rows),
        "An indented error is a special case of the one above it. *A retry can help* is what decides whether the "
        "engine tries a step again; an error is never judged by its text. The HTTP status is for the REST "
        "interface.",
        "With `--output json` the error is a problem document (RFC 9457) on standard error: `type`, `title`, `status`, "
        "`detail`, `exit_code`, `transient`, and where there is one `host`, `remedy`, `output` (what the host printed) "
        "and `errors` (every problem of a definition: `path`, `message`, `remedy`, `file`, `line`, `column`, `value`).",
        "Exit code 1 is a defect of Raijin itself: the line begins with `defect:`, and `RAIJIN_DEBUG=1` shows where.",
    )


# --- the definition ---------------------------------------------------------------------------------------------------

KINDS = ("Site", "Cluster", "Mesh", "Template")


def definition_page() -> str:
    from raijin.definition.schema import schema  # noqa: PLC0415

    models: dict[str, Any] = schema()["$defs"]
    order = list(dict.fromkeys([*KINDS, *(name for kind in KINDS for name in reached(kind, models))]))
    objects = [name for name in order if fields_of(models[name])]
    choices = [name for name in order if "enum" in models[name]]
    parts = [
        (
            "A definition is one or more YAML or JSON documents, in one file or in a folder. Each says its `kind`; a "
            "document with `nodeGroups` may leave it out, and is then a Cluster. Enumerations are read in any case "
            "(`k3s`, `K3S`). The same as JSON Schema, for editors: `raijin schema`. An unknown key is an error."
        ),
        (
            "What stands here is what can be *written*. What can be *carried out* today is less: the README says what, "
            "`raijin check` lists the parts of your definition that are not served yet, and `raijin plan` refuses them."
        ),
        (
            "A secret is written as itself or, better, as a reference: `env:NAME` or `file:PATH`. References to "
            "`sops:`, `vault:` and Ansible `!vault` values are understood and kept, and cannot be read yet."
        ),
        *(model_section(name, models) for name in objects),
        "## Choices",
        table(("choice", "values"), ([f"{name}", enumerated(models[name])] for name in choices)),
    ]
    return page("The definition", *parts)


def fields_of(model: dict[str, Any]) -> dict[str, Any]:
    if "properties" in model:
        return dict(model["properties"])
    return next((dict(item["properties"]) for item in model.get("anyOf", ()) if "properties" in item), {})


def reached(name: str, models: dict[str, Any]) -> Iterator[str]:
    """Everything that a model refers to, breadth first."""
    waiting, seen = [name], {name}
    while waiting:
        current = waiting.pop(0)
        for reference in re.findall(r"#/\$defs/(\w+)", repr(models[current])):
            if reference not in seen:
                seen.add(reference)
                waiting.append(reference)
                yield reference


def model_section(name: str, models: dict[str, Any]) -> str:
    model = models[name]
    required = set(model.get("required", ()))
    rows = [
        (
            f"`{key}`",
            type_of(field, models),
            "required" if key in required else default_of(field),
            meaning_of(field, models) + example_of(field),
        )
        for key, field in fields_of(model).items()
    ]
    return f"## {name}\n\n{prose(model.get('description'))}\n\n" + table(("field", "type", "default", "meaning"), rows)


def meaning_of(field: dict[str, Any], models: dict[str, Any]) -> str:
    """Its own description, else that of the model it holds."""
    inner = models.get(field.get("$ref", "").rpartition("/")[2], {})
    return str(field.get("description") or prose(inner.get("description")))


def enumerated(model: dict[str, Any]) -> str:
    return ", ".join(f"`{value}`" for value in model["enum"]) + f". {prose(model.get('description'))}"


def type_of(field: dict[str, Any], models: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        if name == "JsonValue":
            return "any value"
        return f"[{name}](#{anchor(name if fields_of(models[name]) else 'choices')})"
    for key in ("allOf", "anyOf", "oneOf"):
        if key in field:
            kinds = [type_of(item, models) for item in field[key] if item.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if "const" in field or "enum" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum") or [field["const"]])
    return plain_type(field, models)


def plain_type(field: dict[str, Any], models: dict[str, Any]) -> str:
    kind = field.get("type", "any value")
    if kind == "array":
        return f"list of {type_of(field.get('items', {}), models)}"
    if kind == "object":
        inner = field.get("additionalProperties")
        return f"map to {type_of(inner, models)}" if isinstance(inner, dict) and inner else "map"
    words = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    return " or ".join(words.get(word, word) for word in ([kind] if isinstance(kind, str) else kind))


def default_of(field: dict[str, Any]) -> str:
    value = field.get("default")
    if value is None or value in ({}, [], ""):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "" if isinstance(value, (dict, list)) else f"`{value}`"


def example_of(field: dict[str, Any]) -> str:
    examples = [item for item in field.get("examples", ()) if isinstance(item, (str, int))]
    return f" As in `{examples[0]}`." if examples and not isinstance(examples[0], bool) else ""


# --- operations and facts ---------------------------------------------------------------------------------------------


def operations_page() -> str:
    from raijin.operations import CATALOGUE  # noqa: PLC0415
    from raijin.operations.undoable import UNDOABLE  # noqa: PLC0415

    parts = [
        (
            "An operation is a typed, idempotent change of one host: it is checked before it is carried out, and "
            "verified after. How they work together: [the plan](../explanation/plan.md) and "
            "[what a host remembers](../explanation/host-receipts.md). Every kind, in the order of the catalogue:"
        ),
        table(
            ("operation", "can be put back", "what it is about"),
            (
                [
                    f"[{kind.__name__}](#{anchor(kind.__name__)})",
                    "yes" if kind in UNDOABLE else "",
                    prose(kind.__doc__).split("\n")[0],
                ]
                for kind in CATALOGUE
            ),
        ),
        *(operation_section(kind) for kind in CATALOGUE),
    ]
    return page("Operations", *parts)


def operation_section(kind: type[Any]) -> str:
    hints = typing.get_type_hints(kind)
    rows = [
        (f"`{item.name}`", f"`{written(hints[item.name])}`", default_text(item))
        for item in dataclasses.fields(kind)
        if item.name != "kind"
    ]
    source = Path(inspect.getfile(kind)).relative_to(ROOT)
    text = f"## {kind.__name__}\n\n{prose(kind.__doc__)}\n\nSource: `{source}`"
    return f"{text}\n\n{table(('field', 'type', 'default'), rows)}" if rows else text


def default_text(item: dataclasses.Field[Any]) -> str:
    if item.default is not dataclasses.MISSING:
        return f"`{item.default!r}`"
    return "" if item.default_factory is dataclasses.MISSING else f"`{item.default_factory()!r}`"


def written(hint: Any) -> str:
    """A type as people write it."""
    if isinstance(hint, type) and not typing.get_args(hint):
        return "None" if hint is type(None) else hint.__name__
    return re.sub(r"(?:[a-z_]+\.)+(?=[A-Z])", "", str(hint)).replace("NoneType", "None")


def facts_page() -> str:
    from raijin.facts import ABILITIES  # noqa: PLC0415
    from raijin.facts.gather import HostFacts  # noqa: PLC0415

    hints = typing.get_type_hints(HostFacts)
    modules = {ability.name: inspect.getmodule(ability.parse) for ability in ABILITIES}
    sections = []
    for ability in ABILITIES:
        module = modules[ability.name]
        if module is None or module.__file__ is None:
            raise LookupError(ability.name)
        source = Path(module.__file__).relative_to(ROOT)
        text = [f"## {ability.name}", prose(module.__doc__), f"Source: `{source}`"]
        text += [class_table(kind) for kind in dataclasses_in(hints[ability.name])]
        sections.append("\n\n".join(text))
    return page(
        "Facts",
        "A fact is a typed read of one ability of a host. All facts of a host are asked for in one execution, which "
        "writes nothing. What a host does not show is *unknown* with a reason, and the others are still there. "
        "`raijin facts` prints a summary, `raijin facts -o json` everything.",
        *sections,
    )


def dataclasses_in(hint: Any) -> list[type[Any]]:
    from raijin.facts.base import Unknown  # noqa: PLC0415

    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        if hint is Unknown:
            return []
        inner = [d for h in typing.get_type_hints(hint).values() for d in dataclasses_in(h)]
        return list(dict.fromkeys([hint, *inner]))
    return list(dict.fromkeys(d for argument in typing.get_args(hint) for d in dataclasses_in(argument)))


def class_table(kind: type[Any]) -> str:
    hints = typing.get_type_hints(kind)
    rows = [(f"`{item.name}`", f"`{written(hints[item.name])}`") for item in dataclasses.fields(kind)]
    own = kind.__doc__ if kind.__doc__ and not kind.__doc__.startswith(f"{kind.__name__}(") else ""
    return f"**{kind.__name__}** {prose(own)}".strip() + "\n\n" + table(("field", "type"), rows)


# --- environment ------------------------------------------------------------------------------------------------------


def environment_page() -> str:
    from raijin.definition.environment import Overrides  # noqa: PLC0415

    rows = [(f"`{field.alias}`", field.description or "") for field in Overrides.model_fields.values()]
    return page(
        "Environment variables",
        "These override what the definition says. An empty variable counts as not set. A secret may be a reference, as "
        "in files. A variable that looks misspelt is a warning.",
        table(("variable", "meaning"), rows),
        "`RAIJIN_HOME` is where runs, locks, secrets, the cache and the lab are kept; default: `~/.raijin`. "
        "`RAIJIN_WORKER_*` act on hosts of the groups WORKER, STORAGE and INFRA; `RAIJIN_NAS_*` on the first NAS of "
        "the first site; `RAIJIN_IDRAC_*` on the host whose `power.address` is `RAIJIN_IDRAC_IP`, else on the "
        "whole site.",
        "## Of the program",
        table(("variable", "meaning"), ((f"`{name}`", text) for name, text in OTHER_VARIABLES)),
        "`KUBECONFIG` names the file that `raijin kubeconfig --merge` merges into; default: `~/.kube/config`.",
        "## For developers",
        table(("variable", "meaning"), ((f"`{name}`", text) for name, text in DEVELOPER_VARIABLES)),
    )


def api_page() -> str:
    from raijin.api.application import application  # noqa: PLC0415
    from raijin.app.service import Service  # noqa: PLC0415

    nowhere = Path("/nonexistent")
    document = application(Service(nowhere, nowhere)).openapi()
    parts = []
    for tag in document["tags"]:
        rows = [
            (
                f"`{method.upper()} {path}`",
                str(operation.get("description", "")).partition("\n\n")[0],
                _answers(operation),
            )
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if tag["name"] in operation.get("tags", ())
        ]
        parts += [
            f"## {tag['name'].capitalize()}",
            tag["description"],
            table(("request", "what it does", "answers"), rows),
        ]
    return page(
        "The REST API",
        document["info"]["description"],
        "The whole description, with every field: `GET /api/v1/openapi.json`. How to start a server and log in: "
        "[the server](../how-to/server.md).",
        *parts,
    )


def _answers(operation: dict[str, Any]) -> str:
    """The statuses of success; every request may also end in a problem document."""
    return ", ".join(status for status in operation["responses"] if status.startswith("2"))


PAGES: tuple[tuple[str, Callable[[], str]], ...] = (
    ("cli.md", cli_page),
    ("definition.md", definition_page),
    ("operations.md", operations_page),
    ("facts.md", facts_page),
    ("errors.md", errors_page),
    ("environment.md", environment_page),
    ("api.md", api_page),
)


def stale() -> list[str]:
    """The pages that are not what the code says now."""
    return [name for name, make in PAGES if not (FOLDER / name).is_file() or (FOLDER / name).read_text() != make()]


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        old = stale()
        if old:
            sys.stderr.write(f"stale: {', '.join(old)}; run `python scripts/reference.py`\n")
        return 1 if old else 0
    if arguments:
        sys.stderr.write(__doc__ or "")
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES:
        (FOLDER / name).write_text(make())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
