"""The scripts of a rotation of authorities, in real shells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raijin.operations.command import Command
from raijin.platforms.kubeadm import rotation

if TYPE_CHECKING:
    from tests.operations.conftest import Host

MANIFEST = (
    "spec:\n  containers:\n  - command:\n    - kube-controller-manager\n"
    "    - --client-ca-file=/etc/kubernetes/pki/ca.crt\n"
    "    - --cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt\n"
    "    - --cluster-signing-key-file=/etc/kubernetes/pki/ca.key\n"
)
KUBEADM = r"""
[ "$*" = "kubeconfig user --org system:nodes --client-name system:node:n1 --config /etc/x.yaml" ] || exit 3
[ ! -e "$0.broken" ] || { echo "users: []"; exit 0; }
printf 'users:\n- user:\n    client-certificate-data: %s\n    client-key-data: %s\n' \
  "$(printf 'CERTIFICATE\n' | base64)" "$(printf 'PRIVATE KEY\n' | base64)"
"""


def shell(host: Host, script: str, *arguments: str) -> Command:
    return Command("do it", (*host.shell, "-c", script, *arguments), marker="done")


def test_the_controller_manager_signs_with_another_file_and_back(host: Host) -> None:
    manifest = host.write("manifests/manager.yaml", MANIFEST, 0o600)
    there = "/etc/kubernetes/pki/rotation/signing.crt"
    assert host.run(shell(host, rotation._POINT, str(manifest), there)).states == ["changed"]
    assert manifest.read_text() == MANIFEST.replace("cert-file=/etc/kubernetes/pki/ca.crt", f"cert-file={there}")
    assert manifest.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in manifest.parent.iterdir()] == ["manager.yaml"], "kubelets read every other name"
    back = Command(
        "back", (*host.shell, "-c", rotation._POINT, str(manifest), "/etc/kubernetes/pki/ca.crt"), marker="b"
    )
    host.run(back)
    assert manifest.read_text() == MANIFEST


def test_a_kubelet_is_given_a_certificate_that_is_signed_where_it_is(host: Host) -> None:
    host.tool("kubeadm", KUBEADM)
    host.tool("systemctl", 'echo "$*" >"$0.calls"\n')
    new, current = host.path("kubelet-client-raijin.pem"), host.path("kubelet-client-current.pem")
    own = shell(host, rotation._OWN_CLIENT, "n1", "/etc/x.yaml", new, current)
    assert host.run(own).states == ["changed"]
    assert (host.root / "kubelet-client-current.pem").read_text() == "CERTIFICATE\nPRIVATE KEY\n"
    assert (host.root / "kubelet-client-raijin.pem").stat().st_mode & 0o777 == 0o600
    assert (host.tools / "systemctl.calls").read_text() == "restart kubelet\n"


def test_without_a_key_the_kubelet_keeps_what_it_has(host: Host) -> None:
    host.tool("kubeadm", KUBEADM)
    (host.tools / "kubeadm.broken").touch()
    host.tool("systemctl", 'echo "$*" >"$0.calls"\n')
    host.write("a.pem", "as before")
    current = host.root / "current.pem"
    current.symlink_to("a.pem")
    own = shell(host, rotation._OWN_CLIENT, "n1", "/etc/x.yaml", host.path("new.pem"), str(current))
    assert host.run(own).states == ["failed"]
    assert current.read_text() == "as before"
    assert not (host.tools / "systemctl.calls").exists()


def test_of_the_kubelets_certificates_only_the_one_in_use_stays(host: Host) -> None:
    for name in ("kubelet-client-2026-01-01-00-00-00.pem", "kubelet-client-2026-06-01-00-00-00.pem", "kubelet.crt"):
        host.write(f"pki/{name}", name)
    (host.root / "pki/kubelet-client-current.pem").symlink_to("kubelet-client-2026-06-01-00-00-00.pem")
    clean = shell(host, rotation._OLD_CLIENTS, host.path("pki"), host.path("pki/kubelet-client-current.pem"))
    assert host.run(clean).states == ["changed"]
    left = {path.name for path in (host.root / "pki").iterdir()}
    assert left == {"kubelet-client-2026-06-01-00-00-00.pem", "kubelet-client-current.pem", "kubelet.crt"}
