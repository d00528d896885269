"""The check of certificates. Law: what has expired is a fault, what is about to a warning."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.plans.conftest import UNKNOWN

from raijin.app.health import Health
from raijin.app.overview import _lines
from raijin.facts.base import Unknown
from raijin.facts.certificates import DAY, Certificate
from raijin.platforms.view import HostView
from raijin.validation.certificates import certificates, soonest
from raijin.validation.finding import Finding, Grade
from raijin.validation.seen import Seen
from raijin.validation.subject import Place, Subject

NOW = 1_800_000_000.0
TLS = "/var/lib/rancher/k3s/server/tls"
OF_KUBEADM = {
    "apiserver": "/etc/kubernetes/pki/apiserver.crt",
    "authority": "/etc/kubernetes/pki/ca.crt",
    "itself": "/var/lib/kubelet/pki/kubelet-client-current.pem",
}
OF_K3S = {"apiserver": f"{TLS}/serving-kube-apiserver.crt", "authority": f"{TLS}/client-ca.crt",
          "itself": f"{TLS}/dynamic-cert.json"}  # fmt: skip


def seen(kind: str, *found: Certificate, unknown: str = "") -> Seen:
    facts = replace(UNKNOWN, certificates=Unknown(unknown) if unknown else found)
    subject = Subject("lab", kind, "v1.34.2", (Place("n1", True),), 6443, "/kubeconfig")
    return Seen(subject, NOW, hosts={"n1": HostView(facts)})


def lasting(path: str, days: float, life: float = 365) -> Certificate:
    return Certificate(path, begins=NOW + (days - life) * DAY, ends=NOW + days * DAY)


@pytest.mark.parametrize("kind", ["VANILLA", "K3S"])
@pytest.mark.parametrize(
    ("which", "days", "expected"),
    [
        ("apiserver", 200, (Grade.OK, "is the first to end, on 2027-08-03 (200 days left)", "")),
        ("apiserver", 89, (Grade.WARNING, "about to expire: ", "raijin apply")),
        ("apiserver", -2, (Grade.FAILED, "(2 days ago)", "raijin apply")),
        ("authority", 50, (Grade.WARNING, "(50 days left)", "rotate-ca")),
        ("authority", -1, (Grade.FAILED, "expired: ", "rotate-ca")),
        ("itself", 50, (Grade.OK, "(50 days left)", "")),
        ("itself", -1, (Grade.FAILED, "expired: ", "raijin apply")),
    ],
)
def test_what_is_left_of_one(kind: str, which: str, days: float, expected: tuple[Grade, str, str]) -> None:
    grade, text, remedy = expected
    paths = OF_KUBEADM if kind == "VANILLA" else OF_K3S
    (finding,) = certificates(seen(kind, lasting(paths[which], days)))
    assert finding.grade is grade
    assert text in finding.text
    assert remedy in finding.remedy


def test_the_limit_is_the_policys() -> None:
    one = seen("VANILLA", lasting(OF_KUBEADM["apiserver"], 89))
    (finding,) = certificates(replace(one, subject=replace(one.subject, renew_below=30.0)))
    assert finding.grade is Grade.OK


@pytest.mark.parametrize(
    ("what", "grade", "text"),
    [
        (seen("VANILLA", unknown="awk is missing"), Grade.UNKNOWN, "awk is missing"),
        (replace(seen("VANILLA"), hosts={"n1": "no route to host"}), Grade.UNKNOWN, "no route to host"),
        (replace(seen("VANILLA"), hosts={}), Grade.UNKNOWN, "it was not asked"),
        (seen("VANILLA"), Grade.WARNING, "no certificate of a node"),
        (seen("K3S", Certificate(OF_K3S["apiserver"], fault="cut short")), Grade.WARNING, "cut short"),
    ],
)
def test_what_is_not_known_is_not_well(what: Seen, grade: Grade, text: str) -> None:
    (finding,) = certificates(what)
    assert finding.grade is grade
    assert text in finding.text


def test_files_of_others_are_no_business_of_it() -> None:
    assert soonest(seen("VANILLA", lasting("/etc/kubernetes/pki/mine.crt", -5))) is None
    assert soonest(seen("K3S", lasting(OF_KUBEADM["apiserver"], -5))) is None


def test_a_host_in_quarantine_is_not_judged_twice() -> None:
    one = seen("VANILLA")
    places = (Place("n1", True, "its disk is broken"),)
    assert list(certificates(replace(one, subject=replace(one.subject, places=places)))) == []


def test_the_screen_says_what_ends_first_and_whom_to_look_at() -> None:
    one = seen("VANILLA", lasting(OF_KUBEADM["authority"], 3000, 3650), lasting(OF_KUBEADM["apiserver"], 40))
    health = Health("lab", one, tuple(certificates(one)))
    assert dict(_lines(health, "FLANNEL"))["certificates"] == (
        "apiserver.crt of n1 ends first, on 2027-02-24 (40 days left); look at n1"
    )
    dark = Health("lab", replace(one, hosts={}), (Finding("certificates", "n1", Grade.UNKNOWN, ""),))
    assert dict(_lines(dark, "FLANNEL"))["certificates"] == "not known"
