"""The benchmark: the same 25 tasks on the same hosts by every tool, in turn, and what that cost. See `bench/run`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import hosts as lab_hosts
from hosts import Hosts
from report import Sample, show
from workload import HERE

SETTLE_SECONDS = 1.5
"""After a measurement, until the hosts have closed their sessions and their CPU is counted."""

SLOW = ("ansible", "mitogen")


@dataclass(frozen=True, slots=True)
class Tool:
    """How a tool is started. `unchanged` looks at the output of a run that had nothing to do."""

    command: Callable[[Hosts, Path], list[str]]
    environment: Callable[[Hosts], dict[str, str]] = lambda hosts: {}
    unchanged: Callable[[str, Path], bool] = lambda output, place: True


def _tool(name: str) -> str:
    return str(Path(os.environ["RAIJIN_BENCH_TOOLS"]) / "bin" / name)


def _openssh(hosts: Hosts, place: Path) -> list[str]:
    script = str(hosts.folder / "converge.sh")
    return [str(HERE / "by_openssh.sh"), str(hosts.lab.ssh_config), script, str(place), *hosts.names]


def _asyncssh(hosts: Hosts, place: Path) -> list[str]:
    files = [str(hosts.folder / "inventory.json"), str(hosts.folder / "converge.sh"), str(place)]
    return [sys.executable, str(HERE / "by_asyncssh.py"), *files]


def _raijin(hosts: Hosts, place: Path) -> list[str]:
    del place
    return [sys.executable, str(HERE / "by_raijin.py"), str(hosts.folder / "raijin.yaml")]


def _pyinfra(hosts: Hosts, place: Path) -> list[str]:
    del place
    return [_tool("pyinfra"), "-y", str(hosts.folder / "inventory.py"), str(HERE / "by_pyinfra.py")]


def _ansible(hosts: Hosts, place: Path) -> list[str]:
    del place
    playbook = str(HERE / "by_ansible.yaml")
    return [
        _tool("ansible-playbook"),
        "-i",
        str(hosts.folder / "inventory.ini"),
        "-e",
        f"source={HERE}/files",
        playbook,
    ]


def _ansible_settings(hosts: Hosts) -> dict[str, str]:
    """Tuned: pipelining, one kept connection per host, 50 forks, no search for Python, the cheap key exchange."""
    kept = Path(tempfile.mkdtemp(prefix="c", dir=hosts.folder))
    options = (
        f"-F {hosts.lab.ssh_config} -o ControlMaster=auto -o ControlPersist=60s -o KexAlgorithms=curve25519-sha256"
    )
    return {
        "ANSIBLE_CONFIG": str(hosts.folder / "ansible.cfg"),
        "ANSIBLE_HOME": str(hosts.folder / "ansible"),
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_FORKS": "50",
        "ANSIBLE_SSH_ARGS": options,
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(kept),
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "ANSIBLE_NOCOLOR": "1",
    }


def _mitogen_settings(hosts: Hosts) -> dict[str, str]:
    found = sorted(
        Path(os.environ["RAIJIN_BENCH_TOOLS"]).glob("lib/python*/site-packages/ansible_mitogen/plugins/strategy")
    )
    strategy = {"ANSIBLE_STRATEGY_PLUGINS": str(found[0]), "ANSIBLE_STRATEGY": "mitogen_linear"}
    return _ansible_settings(hosts) | strategy


def _scripts_unchanged(_: str, place: Path) -> bool:
    return all(path.read_text().endswith("changed 0\n") for path in place.iterdir())


def _ansible_unchanged(output: str, _: Path) -> bool:
    recap = output.partition("PLAY RECAP")[2].splitlines()[1:]
    return all(" changed=0 " in line for line in recap if line.strip())


def _pyinfra_unchanged(output: str, _: Path) -> bool:
    total = output.rpartition("Grand total")[2].split()
    return total[1:3] == ["-", "-"]  # after the number of hosts: success, error


TOOLS: dict[str, Tool] = {
    "floor": Tool(_openssh, unchanged=_scripts_unchanged),
    "asyncssh": Tool(_asyncssh, unchanged=_scripts_unchanged),
    "raijin": Tool(
        _raijin,
        lambda hosts: {"RAIJIN_HOME": str(hosts.folder / "raijin-home")},
        lambda output, _: "nothing to do" in output,
    ),
    "pyinfra": Tool(_pyinfra, unchanged=_pyinfra_unchanged),
    "ansible": Tool(_ansible, _ansible_settings, _ansible_unchanged),
    "mitogen": Tool(_ansible, _mitogen_settings, _ansible_unchanged),
}


def measure(name: str, kind: str, hosts: Hosts) -> Sample:
    """One run of one tool, in a process of its own. Raises SystemExit when it fails."""
    tool = TOOLS[name]
    place = Path(tempfile.mkdtemp(prefix=f"{name}-{kind}-", dir=hosts.folder))
    output = place.with_suffix(".log")
    command, environment = tool.command(hosts, place), {**os.environ, **tool.environment(hosts)}
    load, cpu_before = os.getloadavg()[0], hosts.cpu_seconds()
    with output.open("wb") as stream:
        redirect = [(os.POSIX_SPAWN_DUP2, stream.fileno(), 1), (os.POSIX_SPAWN_DUP2, stream.fileno(), 2)]
        started = time.monotonic()
        pid = os.posix_spawn(command[0], command, environment, file_actions=redirect)
        _, status, used = os.wait4(pid, 0)
        seconds = time.monotonic() - started
    text = output.read_text(errors="replace")
    if status != 0:
        raise SystemExit(f"{name} ({kind}) failed with status {status}, see {output}:\n{text[-4000:]}")
    if kind == "same" and not tool.unchanged(text, place):
        raise SystemExit(f"{name} changed something the second time, see {output} and {place}:\n{text[-4000:]}")
    time.sleep(SETTLE_SECONDS)
    cpu_after = hosts.cpu_seconds()
    on_hosts = None if cpu_before is None or cpu_after is None else cpu_after - cpu_before
    memory = used.ru_maxrss / 1024
    return Sample(name, kind, seconds, used.ru_utime + used.ru_stime, on_hosts, memory, load)


def one_round(names: list[str], hosts: Hosts, states: dict[str, dict[str, str]], samples: list[Sample]) -> None:
    """Every tool once: undo, first, same. What the hosts are like afterwards is kept from the first round."""
    for name in names:
        hosts.on_hosts("reset.sh", with_name=True)
        shutil.rmtree(hosts.folder / "raijin-home", ignore_errors=True)
        samples.append(measure(name, "first", hosts))
        if name not in states:
            states[name] = hosts.on_hosts("state.sh")
            before = hosts.on_hosts("state.sh", "exact")
            samples.append(measure(name, "same", hosts))
            _compare(f"{name}, before and after its second run", before, hosts.on_hosts("state.sh", "exact"))
        else:
            samples.append(measure(name, "same", hosts))
        for sample in samples[-2:]:
            print(f"  {sample.tool:9} {sample.kind:5} {sample.seconds:7.2f} s", file=sys.stderr)


def _compare(what: str, wanted: dict[str, str], found: dict[str, str]) -> None:
    for host, text in wanted.items():
        if text != found[host]:
            import difflib  # noqa: PLC0415

            lines = difflib.unified_diff(text.splitlines(), found[host].splitlines(), lineterm="", n=0)
            raise SystemExit(f"{host} differs: {what}\n" + "\n".join(lines))


def main() -> None:
    options = _options()
    names = [name for name in options.tools.split(",") if not (options.skip_slow and name in SLOW)]
    if unknown := set(names) - set(TOOLS):
        raise SystemExit(f"unknown tools: {', '.join(sorted(unknown))}; there are {', '.join(TOOLS)}")
    folder = Path(options.folder or tempfile.mkdtemp(prefix="raijin-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    samples: list[Sample] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stopped benchmark, too, takes its machines away
    try:
        print(f"{options.hosts} lab machines in {folder}", file=sys.stderr)
        hosts = lab_hosts.up(folder, options.hosts)
        hosts.on_hosts("prepare.sh", *(["ansible"] if set(names) & set(SLOW) else []))
        states: dict[str, dict[str, str]] = {}
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            slow_too = options.slow_rounds is None or number < options.slow_rounds
            turn = [name for name in names if slow_too or name not in SLOW]
            turn = turn[number % len(turn) :] + turn[: number % len(turn)]
            one_round(turn, hosts, states, samples)
        for name, state in states.items():
            _compare(f"after {names[0]} and after {name}", states[names[0]], state)
        print(f"all tools leave the hosts in the same state: {', '.join(states)}", file=sys.stderr)
    finally:
        if samples:
            show(samples, options.hosts)
        if not options.keep:
            lab_hosts.down(folder)
        if options.save:
            record = {"hosts": options.hosts, "samples": [asdict(sample) for sample in samples]}
            Path(options.save).write_text(json.dumps(record, indent=1))
    if not options.keep and not options.folder:
        shutil.rmtree(folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--hosts", type=int, default=16, help="lab machines (default 16)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the table shows medians (default 3)")
    parser.add_argument("--tools", default="raijin,floor,asyncssh,pyinfra,ansible", help=f"of {', '.join(TOOLS)}")
    parser.add_argument("--skip-slow", action="store_true", help=f"without {' and '.join(SLOW)}")
    parser.add_argument("--slow-rounds", type=int, help=f"rounds for {' and '.join(SLOW)}, when fewer are enough")
    parser.add_argument("--save", metavar="FILE", help="write all samples as JSON")
    parser.add_argument("--folder", help="where to work (default: a temporary folder)")
    parser.add_argument("--keep", action="store_true", help="leave the machines and the logs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
