"""Passwords and the like: never printed, never written out, taken out on purpose only.

A secret stands in the definition as itself or, better, as a reference to where it is kept: `env:NAME`, `file:PATH`,
`sops:FILE#key`, `vault:PATH#key`, or an Ansible `!vault` value. `raijin.definition.secrets` follows references.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SerializationInfo
from pydantic_core import CoreSchema, core_schema

from raijin.errors import Unsupported
from raijin.model.base import fault

MASK = "***"


class Secret:
    """A text that shows itself as `***` everywhere; `reveal()` gives the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself: for the wire only, never for a message, a log, an event or a file."""
        return self._text

    @property
    def written(self) -> str:
        """As it stands in the definition. As careful a thing as `reveal`."""
        return self._text

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return type(self) is type(other) and self.written == other.written

    def __hash__(self) -> int:
        return hash((type(self), self._text))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            parse_secret,
            serialization=core_schema.plain_serializer_function_ser_schema(
                _serialize, info_arg=True, return_schema=core_schema.str_schema()
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": "password", "writeOnly": True}


class SecretReference(Secret):
    """Where a secret is kept. Not a secret itself, so it is shown; the text must be fetched before use."""

    __slots__ = ("scheme", "target")

    SCHEMES: ClassVar[tuple[str, ...]] = ("env", "file", "sops", "vault")
    ANSIBLE: ClassVar[str] = "ansible-vault"

    def __init__(self, scheme: str, target: str) -> None:
        super().__init__(f"{scheme}:{target}")
        self.scheme = scheme
        self.target = target

    def reveal(self) -> str:
        raise Unsupported(
            f"the secret {self} was used before it was fetched",
            remedy="this is a defect of Raijin: please report it with the command that you ran",
        )

    def __str__(self) -> str:
        # The encrypted text of an Ansible value is long and of no use to a reader.
        return f"{self.scheme}:{MASK}" if self.scheme == self.ANSIBLE else f"{self.scheme}:{self.target}"

    def __repr__(self) -> str:
        return f"SecretReference({self})"


def parse_secret(value: object) -> Secret:
    """Read a secret or a reference to one, as it stands in a definition."""
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise fault("must be text", "put it in quotes, or write a reference such as env:NAME")
    if not value:
        raise fault("is empty", "give the secret or a reference such as env:NAME, or remove the key")
    if value == MASK:
        raise fault("is a masked secret", "write the secret itself, or a reference such as env:NAME")
    scheme, colon, target = value.partition(":")
    if colon and scheme in (*SecretReference.SCHEMES, SecretReference.ANSIBLE):
        if not target.strip():
            raise fault(f"{scheme}: names nothing", f"write what it refers to, as in {scheme}:NAME")
        return SecretReference(scheme, target.strip())
    return Secret(value)


def _serialize(value: Secret, info: SerializationInfo) -> str:
    """References as they are; secrets masked, unless the context says `{"reveal": True}` (to write a definition)."""
    if isinstance(value, SecretReference):
        return value.written
    reveal = isinstance(info.context, dict) and info.context.get("reveal") is True
    return value.written if reveal else MASK
