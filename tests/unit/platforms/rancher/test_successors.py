"""Authorities that follow others: who trusts the old root trusts what the new one signs, and the other way round."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from raijin.errors import OperationFailed
from raijin.platforms.rancher.signing import successor
from raijin.platforms.signing import new_root

NOW = dt.datetime(2026, 11, 27, tzinfo=dt.UTC)
OLD, OLD_KEY = new_root("k3s-server-ca@1", "ECDSA-P256", 3650)


def parts(text: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(text.encode())


def test_the_old_root_shows_the_way_to_the_new_one() -> None:
    own, itself, crossed, old = parts(successor("k3s-server", OLD, OLD_KEY, NOW)[0])
    assert [old] == parts(OLD)
    own.verify_directly_issued_by(itself)
    own.verify_directly_issued_by(crossed)
    itself.verify_directly_issued_by(itself)
    crossed.verify_directly_issued_by(old)
    assert itself.public_key() == crossed.public_key()
    assert {c.subject for c in (own, itself)} == {itself.subject, own.subject}
    assert all(c.extensions.get_extension_for_class(x509.BasicConstraints).value.ca for c in (own, itself, crossed))


def test_the_key_of_the_root_lies_beside_that_of_the_authority_so_that_it_can_be_followed_again() -> None:
    once = successor("k3s-server", OLD, OLD_KEY, NOW)
    own, itself, _, _ = parts(once[0])
    first, second = [
        f"{part}-----END EC PRIVATE KEY-----\n" for part in once[1].split("-----END EC PRIVATE KEY-----\n")[:2]
    ]
    assert load_pem_private_key(first.encode(), None).public_key() == own.public_key()
    assert load_pem_private_key(second.encode(), None).public_key() == itself.public_key()
    twice = parts(successor("k3s-server", *once, NOW + dt.timedelta(days=1))[0])
    assert twice[3] == itself, "the root before, not the oldest one"
    twice[2].verify_directly_issued_by(itself)


def test_an_authority_of_somebody_s_own_is_left_alone() -> None:
    once = successor("k3s-server", OLD, OLD_KEY, NOW)
    with pytest.raises(OperationFailed, match="one of your own"):
        successor("k3s-server", once[0], OLD_KEY, NOW)
    other = new_root("other", "ECDSA-P256", 10)[1]
    with pytest.raises(OperationFailed, match="not that of its certificate"):
        successor("k3s-server", OLD, other, NOW)
