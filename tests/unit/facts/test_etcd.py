"""The members of etcd, from what etcdctl prints."""

from __future__ import annotations

import json

from raijin.facts.etcd import EtcdAccess, EtcdMember, EtcdState, parse, script

ACCESS = EtcdAccess("https://127.0.0.1:2379", "/a/ca.crt", "/a/s.crt", "/a/s.key", "unix:///run/c.sock")


def listed(*members: dict[str, object]) -> str:
    return json.dumps({"header": {"cluster_id": 1}, "members": list(members)})


def member(number: int, name: str, **more: object) -> dict[str, object]:
    """As `member list -w json` has it; ids are whole numbers there."""
    host = f"192.0.2.{number}"
    return {
        "ID": number,
        "name": name,
        "peerURLs": [f"https://{host}:2380"],
        "clientURLs": [f"https://{host}:2379"],
        **more,
    }


def status(number: int, leader: int, **more: object) -> dict[str, object]:
    """As `endpoint status -w json` has it."""
    header = {"cluster_id": 1, "member_id": number, "revision": 42}
    about = {"header": header, "version": "3.6.5", "dbSize": 4096, "dbSizeInUse": 1024, "leader": leader, **more}
    return {"Endpoint": f"https://192.0.2.{number}:2379", "Status": about}


def test_three_members_of_which_one_is_dead() -> None:
    text = "\n".join(
        [
            listed(member(11, "n1"), member(12, "n2"), member(13, "n3")),
            json.dumps([status(11, 11), status(12, 11)]),
            "",
            "{}",
        ]
    )
    state = parse(text)
    assert state is not None
    assert [(m.name, m.healthy, m.leader) for m in state.members] == [
        ("n1", True, True), ("n2", True, False), ("n3", False, False),
    ]  # fmt: skip
    assert (state.quorum, state.has_quorum, state.spare, state.healthy) == (2, True, 0, False)
    assert state.members[0].id == "b"
    assert (state.members[0].size, state.members[0].in_use, state.members[0].revision) == (4096, 1024, 42)
    assert state.members[2].failure == "it does not answer"
    assert state.at("192.0.2.13") is state.members[2]
    assert state.at("192.0.2.99") is None


def test_a_learner_does_not_count_for_the_majority() -> None:
    text = "\n".join(
        [listed(member(11, "n1"), member(12, "", isLearner=True, clientURLs=[])), json.dumps([status(11, 11)])]
    )
    state = parse(text)
    assert state is not None
    assert state.quorum == 1
    assert state.has_quorum
    assert not state.healthy
    assert state.members[1].failure == "it has never started"


def test_alarms_and_errors_are_told() -> None:
    alarm = {"alarms": [{"memberID": 11, "alarm": 1}]}
    text = "\n".join([listed(member(11, "n1")), json.dumps([status(11, 11, errors=["NOSPACE"])]), json.dumps(alarm)])
    state = parse(text)
    assert state is not None
    assert state.alarms == ("b: NOSPACE",)
    assert state.members[0].failure == "NOSPACE"
    assert not state.healthy


def test_without_a_majority_nothing_is_known() -> None:
    assert parse("null\n\nnull\n") is None
    assert parse("") is None


def test_addresses_of_both_families() -> None:
    six = EtcdMember("1", "n1", ("https://[2001:db8::11]:2380",), (), False, True)
    assert six.has_peer("2001:db8::11")
    assert EtcdState((six,)).at("2001:db8::1") is None


def test_values_are_quoted() -> None:
    odd = EtcdAccess("https://127.0.0.1:2379", "/a b/ca.crt", "/a/s.crt", "/a/s.key", "unix:///run/c.sock")
    assert "'--cacert=/a b/ca.crt'" in script(odd)
    assert "member list" in script(ACCESS)
