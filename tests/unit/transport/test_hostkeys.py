"""Records of host keys: what is written is what ssh reads, once, by however many at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from raijin.transport.hostkeys import fingerprint, host_pattern, record_first_use

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICKUnraJYBT4Na06ROR/QkpInVU6b5jYlgPKYgleffRE alpha"
PRINT = "SHA256:CTVqxRYa+X2mfkS2NuYwAPZSqjpFN2X9oHsEG0RZrdw"


def test_a_fingerprint_is_the_one_that_ssh_keygen_prints() -> None:
    assert fingerprint(KEY) == PRINT
    assert fingerprint(" ".join(KEY.split()[:2])) == PRINT


def test_a_port_of_its_own_stands_in_brackets() -> None:
    assert host_pattern("192.0.2.7", 22) == "192.0.2.7"
    assert host_pattern("192.0.2.7", 2222) == "[192.0.2.7]:2222"


def test_a_key_is_recorded_once_whoever_asks(tmp_path: Path) -> None:
    own = tmp_path / "new" / "known_hosts"
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: record_first_use(own, f"192.0.2.{n % 4}", 22, KEY), range(40)))
    kind, key = KEY.split()[:2]
    assert sorted(own.read_text().splitlines()) == [f"192.0.2.{n} {kind} {key}" for n in range(4)]
    assert own.stat().st_mode & 0o777 == 0o600
    assert own.parent.stat().st_mode & 0o777 == 0o700


def test_what_others_wrote_stays(tmp_path: Path) -> None:
    own = tmp_path / "known_hosts"
    own.write_text("# mine\n192.0.2.1 ssh-rsa AAAA\n")
    record_first_use(own, "192.0.2.2", 22, KEY)
    assert own.read_text().startswith("# mine\n192.0.2.1 ssh-rsa AAAA\n192.0.2.2 ")
