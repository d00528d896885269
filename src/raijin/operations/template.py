"""Files in a line format (haproxy, dnsmasq, keepalived), written from a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Literal

from raijin.errors import UsageError
from raijin.operations.base import Argument, Operation, Resolve, SecretRef, absolute, octal
from raijin.operations.file import LIBRARY, UNDO, file_arguments

if TYPE_CHECKING:
    from jinja2 import Template as Compiled


@dataclass(frozen=True, slots=True)
class Template(Operation):
    """A File whose content is `template` (Jinja2; a name without a value is an error) filled with `values`.

    For line formats only: YAML and JSON are built as values and dumped. A value may be a SecretRef; the content is then
    never shown in a diff.
    """

    path: str
    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    mode: str = "644"
    owner: str = "root"
    group: str = "root"
    kind: Literal["template"] = "template"

    library: ClassVar[str] = LIBRARY
    undo_library: ClassVar[str] = UNDO
    function: ClassVar[str] = "file"

    def __post_init__(self) -> None:
        absolute(self.path)
        octal(self.mode)

    @property
    def title(self) -> str:
        return f"file {self.path}"

    @property
    def secret(self) -> bool:
        return _holds_secret(self.values)

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        values = {key: _resolved(value, resolve) for key, value in self.values.items()}
        content = render(self.path, self.template, values)
        return file_arguments(self.path, content, self.mode, self.owner, self.group, secret=self.secret)

    def probes(self) -> tuple[str, ...]:
        return (self.path,)

    def wants(self) -> tuple[tuple[str, str], ...]:
        return (("sums", self.path),)

    def desired(self, field: str) -> str | None:
        return render(self.path, self.template, self.values) if field == "content" and not self.secret else None


def _holds_secret(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_secret, value.values()))
    return isinstance(value, SecretRef) or (isinstance(value, (list, tuple)) and any(map(_holds_secret, value)))


def _resolved(value: object, resolve: Resolve) -> object:
    if isinstance(value, SecretRef):
        return resolve(value)
    if isinstance(value, Mapping):
        return {key: _resolved(item, resolve) for key, item in value.items()}
    return [_resolved(item, resolve) for item in value] if isinstance(value, (list, tuple)) else value


def render(name: str, template: str, values: Mapping[str, object]) -> str:
    """The text of a template. Raises UsageError with the line of a fault or the name that has no value."""
    # Imported late: most programs hold no template, and Jinja2 costs more to import than to use.
    from jinja2 import TemplateError, TemplateSyntaxError  # noqa: PLC0415

    try:
        return _compiled(template).render(values)
    except TemplateSyntaxError as error:
        raise UsageError(f"the template of {name} is wrong in line {error.lineno}: {error.message}") from error
    except TemplateError as error:
        remedy = "give the name a value, or correct the template"
        raise UsageError(f"the template of {name} cannot be filled: {error.message}", remedy=remedy) from error


@cache
def _compiled(template: str) -> Compiled:
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415

    # Escaping is for HTML; what is written here is configuration of daemons.
    lines = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)  # noqa: S701
    return lines.from_string(template)
