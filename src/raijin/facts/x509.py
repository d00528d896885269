"""The few fields of an X.509 certificate that Raijin looks at (RFC 5280, section 4.1), read from DER.

Plans look at the certificates of every host, and to import a library for all of X.509 takes longer than such a plan.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

_SEQUENCE, _OCTETS, _OBJECT, _BOOLEAN = 0x30, 0x04, 0x06, 0x01
_UTC_TIME, _LONG_TIME = 0x17, 0x18
_VERSION, _EXTENSIONS, _KEY_IDENTIFIER = 0xA0, 0xA3, 0x80
_COMMON_NAME = bytes.fromhex("550403")
_BASIC_CONSTRAINTS, _OWN_KEY, _SIGNING_KEY = (bytes.fromhex(text) for text in ("551d13", "551d0e", "551d23"))
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Fields:
    """subject and issuer: their common names. begins and ends: seconds since the epoch. ca: it signs others.

    key and signer: the identifiers of its own key and of the one that signed it, in hexadecimal; empty where unsaid.
    """

    subject: str
    issuer: str
    begins: float
    ends: float
    ca: bool
    key: str
    signer: str


def read(der: bytes) -> Fields:
    """Raises ValueError when it is no certificate."""
    try:
        return _certificate(der)
    except (IndexError, StopIteration, UnicodeDecodeError) as error:
        raise ValueError("it is cut short") from error


def blocks(pem: str) -> Iterator[bytes]:
    """The certificates in a text, as DER. Raises ValueError."""
    for part in pem.split(_BEGIN)[1:]:
        body, end, _ = part.partition(_END)
        if not end:
            raise ValueError("it is cut short")
        try:
            yield base64.b64decode("".join(body.split()), validate=True)
        except binascii.Error as error:
            raise ValueError(str(error)) from error


def _certificate(der: bytes) -> Fields:
    (_, whole), *_ = _items(der, _SEQUENCE)
    (_, signed), *_ = _items(whole, _SEQUENCE)
    parts = list(_items(signed))
    if parts[0][0] == _VERSION:
        del parts[0]
    _, _, (_, issuer), (_, validity), (_, subject), _, *more = parts
    begins, ends = (_time(tag, value) for tag, value in _items(validity))
    constraints = own = signer = b""
    for name, value in _extensions(next((value for tag, value in more if tag == _EXTENSIONS), b"")):
        if name == _BASIC_CONSTRAINTS:
            constraints = value
        elif name == _OWN_KEY:
            own = next(_items(value, _OCTETS))[1]
        elif name == _SIGNING_KEY:
            signer = next((v for _, content in _items(value) for t, v in _items(content) if t == _KEY_IDENTIFIER), b"")
    ca = any(tag == _BOOLEAN and value != b"\0" for _, content in _items(constraints) for tag, value in _items(content))
    return Fields(_common_name(subject), _common_name(issuer), begins, ends, ca, own.hex(), signer.hex())


def _items(data: bytes, first: int | None = None) -> Iterator[tuple[int, bytes]]:
    """The values in a value, each with its tag. first: what the first tag must be."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if first not in (None, tag) or at + length > len(data):
            raise ValueError("it is no certificate")
        yield tag, data[at : at + length]
        first, at = None, at + length


def _extensions(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    for _, listed in _items(data):
        for _, extension in _items(listed):
            found = dict(_items(extension))
            yield found[_OBJECT], found[_OCTETS]


def _common_name(name: bytes) -> str:
    """The last one, which names the thing itself; empty when there is none."""
    pairs = [list(_items(pair)) for _, group in _items(name) for _, pair in _items(group)]
    return next((value[1].decode() for kind, value in reversed(pairs) if kind[1] == _COMMON_NAME), "")


def _time(tag: int, value: bytes) -> float:
    text = value.decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year: from 1950 on
        text = ("20" if int(text[:2]) < 50 else "19") + text
    elif tag != _LONG_TIME:
        raise ValueError("it has no time")
    return dt.datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=dt.UTC).timestamp()
