"""Certificates at the door: what a rotation of authorities is answered, and what RAIJIN_HOME itself holds."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from tests.unit.facts.test_certificates import certificate

from raijin.app.certificates import KEPT, _kept, _row, require_rotation
from raijin.app.session import Session
from raijin.errors import Unsupported
from raijin.facts.certificates import in_data
from raijin.platforms.renewal import Keeper
from raijin.platforms.signing import new_root
from raijin.state.secrets import SecretStore

TEXT = """
kind: Site
hosts: [{{name: n1, address: 192.0.2.11}}]
---
kind: Cluster
name: lab
type: {kind}
version: {version}
nodeGroups: [{{name: cp, role: CONTROL_PLANE, hosts: [n1]}}]
"""


def session_of(folder: Path, kind: str = "VANILLA", version: str = "v1.34.2") -> Session:
    file = folder / "lab.yaml"
    file.write_text(TEXT.format(kind=kind, version=version))
    return Session(folder / "home", (file,))


def test_a_rotation_of_authorities_is_refused_with_the_way_of_the_distribution(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="does not replace the authorities of lab") as caught:
        require_rotation(session_of(tmp_path, "TALOS", "v1.12.0"))
    assert "talosctl rotate-ca" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("kind", "version"), [("VANILLA", "v1.34.2"), ("K3S", "v1.34.10+k3s1"), ("RKE2", "v1.34.10+rke2r1")]
)
def test_authorities_are_replaced(tmp_path: Path, kind: str, version: str) -> None:
    require_rotation(session_of(tmp_path, kind, version))


def test_okd_replaces_its_own(tmp_path: Path) -> None:
    with pytest.raises(Unsupported) as caught:
        require_rotation(session_of(tmp_path, "OKD", "4.21.0-okd-scos.3"))
    assert "oc" in str(caught.value.remedy)


def test_an_authority_is_due_a_year_before_its_end() -> None:
    ca = in_data("/etc/kubernetes/pki/ca.crt", base64.b64encode(new_root("k", "ECDSA-P256", 3650)[0].encode()).decode())
    state = {days: _row("n1", ca[0], Keeper.AUTHORITY, ca[0].ends - days * 86_400, 90).state for days in (364, 366)}
    assert state == {364: "due", 366: "valid"}
    assert _row("n1", ca[0], Keeper.AUTHORITY, ca[0].ends, 90).renewed_by == "rotate-ca"


def test_the_kept_kubeconfig_is_told_with_its_end(tmp_path: Path) -> None:
    session = session_of(tmp_path)
    assert _kept(session) is None
    data = base64.b64encode(certificate(subject="kubernetes-admin").encode()).decode()
    store = SecretStore(session.home)
    _ = session.database  # what has run once has state
    store.put("cluster/lab/kubeconfig", f"users:\n- user:\n    client-certificate-data: {data}\n")
    kept = _kept(session)
    assert kept is not None
    row = _row(KEPT, kept, Keeper.ITSELF, kept.ends - 5 * 86_400, 90)
    assert (row.node, row.path, row.subject, row.state) == ("(kept here)", "kubeconfig", "kubernetes-admin", "valid")
    assert row.renewed_by == "itself"
