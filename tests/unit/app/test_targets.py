"""From hosts of the definition to ways of reaching them; what is remembered of a host holds no secret."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from raijin.app.targets import recalled, remembered, targets_of
from raijin.definition.definition import Definition
from raijin.definition.load import load
from raijin.observe.masking import MASKER
from raijin.transport.pool import LocalTarget

TEXT = """
kind: Site
ssh: {user: ann, key: ~/.ssh/lab, password: ssh-password-here, jump: outer}
become: {password: sudo-password-here}
hosts:
  - {name: outer, address: 203.0.113.7, ssh: {jump: null}}
  - {name: alpha, address: 192.0.2.11, ssh: {port: 2222}}
  - {name: here, address: 192.0.2.12, connection: local}
  - {name: beta, address: 192.0.2.13, ssh: {jump: 'bob@203.0.113.9:2200'}}
  - {name: gamma, address: 192.0.2.14, ssh: {trustFirstUse: true}}
"""


@pytest.fixture
def definition() -> Definition:
    return load(io.StringIO(TEXT), {})


def targets(definition: Definition, *names: str):
    return targets_of([definition.host(name) for name in names], definition, Path("/home/ann/.raijin"))


def test_a_host_brings_its_jump_host_along(definition: Definition) -> None:
    found = targets(definition, "alpha")
    assert set(found) == {"alpha", "outer"}
    assert (found["alpha"].user, found["alpha"].port, found["alpha"].jump) == ("ann", 2222, "outer")
    assert found["outer"].jump is None
    assert found["alpha"].key == Path("~/.ssh/lab").expanduser()


def test_a_jump_host_that_is_no_host_of_the_site(definition: Definition) -> None:
    found = targets(definition, "beta")
    outer = found["bob@203.0.113.9:2200"]
    assert (outer.user, outer.address, outer.port, outer.jump) == ("bob", "203.0.113.9", 2200, None)


def test_this_machine(definition: Definition) -> None:
    assert targets(definition, "here") == {"here": LocalTarget("here", "sudo-password-here")}


def test_first_use_is_trusted_only_where_it_is_written(definition: Definition) -> None:
    found = targets(definition, "alpha", "gamma")
    assert found["alpha"].first_use is None
    assert found["gamma"].first_use == Path("/home/ann/.raijin/known_hosts")
    assert found["gamma"].first_use in found["gamma"].known_hosts, "what is recorded is read the next time"


def test_passwords_are_hidden_as_soon_as_they_are_known(definition: Definition) -> None:
    found = targets(definition, "alpha")
    assert (found["alpha"].password, found["alpha"].become_password) == ("ssh-password-here", "sudo-password-here")
    assert MASKER.mask("ssh-password-here sudo-password-here") == "*** ***"


@pytest.mark.parametrize("name", ["alpha", "here", "beta", "gamma"])
def test_what_is_remembered_reaches_the_host_again_and_holds_no_secret(definition: Definition, name: str) -> None:
    host = definition.host(name)
    text = json.dumps(remembered(host))
    assert "password-here" not in text
    again = recalled(json.loads(text))
    assert (again.name, again.address, again.is_local) == (host.name, host.address, host.is_local)
    assert (again.ssh.user, again.ssh.port, again.ssh.jump) == (host.ssh.user, host.ssh.port, host.ssh.jump)
