"""Units, against a program that plays systemctl and against the folders of OpenRC; the real systemd is in the lab."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from raijin.operations.file import File
from raijin.operations.restart import Restart
from raijin.operations.restore import Restore
from raijin.operations.swap import Swap
from raijin.operations.unit import Unit

if TYPE_CHECKING:
    from tests.operations.conftest import Machine

# State is files below STORE: NAME/{load,active,boot,stale,since}; `asked` counts, `calls` are the changes.
SYSTEMCTL = r"""
store=STORE
while case $1 in --*) ;; *) false;; esac; do shift; done
verb=$1; shift
case $verb in show) echo x >>"$store/asked";; reset-failed) exit 0;; *) echo "$verb $*" >>"$store/calls";; esac
if [ "$verb" = daemon-reload ]; then
  for unit in "$store"/units/*; do
    rm -f "$unit/stale"; name=${unit##*/}
    [ ! -e "/etc/systemd/system/$name" ] || [ "$(cat "$unit/load")" != not-found ] || echo loaded >"$unit/load"
  done
fi
[ "$verb" != show ] || shift 2
[ "${1-}" != -- ] || shift
first=1
for name; do
  unit=$store/units/$name
  [ -d "$unit" ] || { mkdir -p "$unit"; echo not-found >"$unit/load"; }
  case $verb in
    show)
      [ -n "$first" ] || echo; first=
      echo "Names=$name alias-$name"
      echo "LoadState=$(cat "$unit/load")"
      echo "ActiveState=$(cat "$unit/active" 2>/dev/null || echo inactive)"
      echo "UnitFileState=$(cat "$unit/boot" 2>/dev/null || [ "$(cat "$unit/load")" = not-found ] || echo disabled)"
      echo "NeedDaemonReload=$([ -e "$unit/stale" ] && echo yes || echo no)"
      echo "ActiveEnterTimestampMonotonic=$(cat "$unit/since" 2>/dev/null || echo 0)";;
    start|restart)
      [ "$(cat "$unit/load")" = loaded ] || { echo "Unit $name not found."; exit 5; }
      cat "$unit/becomes" 2>/dev/null >"$unit/active" || echo active >"$unit/active"
      read -r up _ </proc/uptime; echo "${up%.*}${up#*.}0000" >"$unit/since";;
    stop) echo inactive >"$unit/active";;
    enable) echo enabled >"$unit/boot";;
    disable) echo disabled >"$unit/boot";;
    mask) echo masked >"$unit/boot"; echo masked >"$unit/load";;
    unmask) echo disabled >"$unit/boot"; echo loaded >"$unit/load";;
  esac
done
"""


@pytest.fixture
def systemd(machine: Machine) -> Machine:
    machine.sh("mkdir -p /run/systemd/system")
    (machine.folder / "units").mkdir()
    machine.tool("systemctl", SYSTEMCTL.replace("STORE", str(machine.folder)))
    machine.tool("journalctl", "echo the last words of the unit\n")
    return machine


def unit(machine: Machine, name: str, **state: str) -> None:
    folder = machine.folder / "units" / name
    folder.mkdir(parents=True)
    for key, value in {"load": "loaded", "boot": "disabled", "active": "inactive", **state}.items():
        (folder / key).write_text(value + "\n")


def calls(machine: Machine) -> list[str]:
    path = machine.folder / "calls"
    found = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return found


def test_a_unit_is_enabled_and_started_and_goes_back(systemd: Machine) -> None:
    unit(systemd, "containerd.service")
    wanted = Unit("containerd")
    checked = systemd.check(wanted).one()
    assert [(c.field, c.before, c.after) for c in checked.changes] == [
        ("enabled", "disabled", "yes"),
        ("running", "inactive", "yes"),
    ]
    assert calls(systemd) == []
    assert systemd.run(wanted).states == ["changed"]
    assert calls(systemd) == ["enable -- containerd.service", "daemon-reload ", "start -- containerd.service"]
    assert systemd.run(wanted).states == ["ok"]
    assert systemd.check(wanted).states == ["ok"]
    assert calls(systemd) == []
    assert systemd.restore().state == "changed"
    assert calls(systemd) == ["disable -- containerd.service", "stop -- containerd.service", "daemon-reload "]


def test_one_question_for_all_units(systemd: Machine) -> None:
    for name in "abc":
        unit(systemd, f"{name}.service", active="active", boot="enabled")
    assert systemd.check(*(Unit(name) for name in "abc")).states == ["ok"] * 3
    assert (systemd.folder / "asked").read_text() == "x\n"


def test_a_unit_by_another_of_its_names(systemd: Machine) -> None:
    unit(systemd, "ssh.service", active="active", boot="enabled")
    systemd.tool(
        "systemctl", 'echo "Names=ssh.service sshd.service"; echo ActiveState=active; echo UnitFileState=enabled\n'
    )
    assert systemd.check(Unit("sshd"), Unit("ssh.service")).states == ["ok", "ok"]


def test_stopped_disabled_and_masked(systemd: Machine) -> None:
    unit(systemd, "apt-daily.timer", active="active", boot="enabled")
    wanted = Unit("apt-daily.timer", running=False, enabled=False, masked=True)
    assert systemd.run(wanted).states == ["changed"]
    assert calls(systemd) == [
        "disable -- apt-daily.timer",
        "stop -- apt-daily.timer",
        "mask -- apt-daily.timer",
        "daemon-reload ",
    ]
    assert systemd.run(wanted).states == ["ok"]
    assert systemd.restore().state == "changed"
    assert calls(systemd) == [
        "unmask -- apt-daily.timer",
        "enable -- apt-daily.timer",
        "daemon-reload ",
        "restart -- apt-daily.timer",
    ]


def test_a_masked_unit_that_is_wanted(systemd: Machine) -> None:
    unit(systemd, "x.service", load="masked", boot="masked")
    assert systemd.run(Unit("x", masked=False)).states == ["changed"]
    assert calls(systemd) == ["unmask -- x.service", "enable -- x.service", "daemon-reload ", "start -- x.service"]
    assert systemd.restore().state == "changed"
    assert calls(systemd)[-2:] == ["mask -- x.service", "daemon-reload "]


def test_a_unit_that_is_not_there_and_not_wanted(systemd: Machine) -> None:
    assert systemd.run(Unit("firewalld", running=False, enabled=False)).states == ["ok"]
    assert calls(systemd) == []


def test_a_unit_that_is_not_there_and_wanted(systemd: Machine) -> None:
    failed = systemd.run(Unit("kubelet")).one()
    assert (failed.state, failed.reason) == ("failed", "there is no unit kubelet.service on this host")
    assert systemd.restore().state == "changed"


def test_a_unit_whose_file_the_program_writes(systemd: Machine) -> None:
    file = File("/etc/systemd/system/kubelet.service", "[Service]\n")
    wanted = Unit("kubelet", watches=(file.path,))
    assert systemd.check(file, wanted).states == ["would-change", "would-change"]
    assert systemd.run(file, wanted).states == ["changed", "changed"]
    assert calls(systemd) == ["enable -- kubelet.service", "daemon-reload ", "start -- kubelet.service"]
    assert systemd.run(file, wanted).states == ["ok", "ok"]
    assert systemd.restore().state == "changed"
    assert calls(systemd) == ["disable -- kubelet.service", "stop -- kubelet.service", "daemon-reload "]


def test_a_changed_configuration_restarts_it_once(systemd: Machine) -> None:
    unit(systemd, "containerd.service")
    wanted = Unit("containerd", watches=("/etc/c.toml", "/etc/absent.toml"))
    assert systemd.run(File("/etc/c.toml", "1"), wanted).states == ["changed", "changed"]
    calls(systemd)
    newer = File("/etc/c.toml", "2")
    planned = systemd.check(newer, wanted)
    assert planned.states == ["would-change", "would-change"]
    assert [change.field for change in planned.reports[1].changes] == ["configuration"]
    assert systemd.run(newer, wanted).states == ["changed", "changed"]
    assert calls(systemd) == ["restart -- containerd.service"]
    assert systemd.run(newer, wanted).states == ["ok", "ok"]


def test_a_killed_run_is_finished_by_a_restart(systemd: Machine) -> None:
    """The file was written, the restart was not reached: the next run has only the sums to see that."""
    unit(systemd, "containerd.service")
    wanted = Unit("containerd", watches=("/etc/c.toml",))
    assert systemd.run(File("/etc/c.toml", "1"), wanted).states == ["changed", "changed"]
    assert systemd.run(File("/etc/c.toml", "2")).states == ["changed"]
    os.utime(systemd.at("/etc/c.toml"), (0, 0))
    calls(systemd)
    assert systemd.run(File("/etc/c.toml", "2"), wanted).states == ["ok", "changed"]
    assert calls(systemd) == ["restart -- containerd.service"]


@pytest.mark.parametrize(("age", "state"), [(-3600, "ok"), (+3600, "would-change")])
def test_a_unit_that_somebody_else_started(systemd: Machine, age: int, state: str) -> None:
    """Without sums of ours the times decide: was the file changed after the start?"""
    since = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1_000_000)
    unit(systemd, "x.service", active="active", boot="enabled", since=str(since))
    systemd.at("/etc/x.conf").write_text("x")
    os.utime(systemd.at("/etc/x.conf"), (time.time() + age,) * 2)
    assert systemd.check(Unit("x", watches=("/etc/x.conf",))).states == [state]


def test_a_unit_whose_own_file_changed(systemd: Machine) -> None:
    unit(systemd, "x.service", active="active", boot="enabled", stale="1")
    assert systemd.run(Unit("x")).states == ["changed"]
    assert calls(systemd) == ["daemon-reload ", "restart -- x.service"]


def test_a_unit_that_fails_says_its_last_words(systemd: Machine) -> None:
    unit(systemd, "x.service", boot="enabled", becomes="failed")
    failed = systemd.run(Unit("x")).one()
    assert (failed.state, failed.reason) == ("failed", "x.service did not become active (it is failed)")
    assert "the last words of the unit" in failed.stderr


def test_a_unit_that_never_gets_ready(systemd: Machine) -> None:
    unit(systemd, "x.service", boot="enabled", becomes="activating")
    failed = systemd.run(Unit("x", timeout=1)).one()
    assert failed.reason == "x.service did not become active (it is activating)"


@pytest.mark.parametrize("boot", ["static", "indirect", "generated", "alias"])
def test_a_unit_that_cannot_be_enabled_is_as_wanted(systemd: Machine, boot: str) -> None:
    unit(systemd, "x.service", active="active", boot=boot)
    assert systemd.check(Unit("x")).states == ["ok"]


def test_a_restore_that_cannot_start_what_ran_keeps_the_receipt(systemd: Machine) -> None:
    unit(systemd, "x.service", active="active", boot="enabled")
    assert systemd.run(Unit("x", running=False, enabled=False)).states == ["changed"]
    (systemd.folder / "units/x.service/becomes").write_text("failed\n")
    failed = systemd.restore()
    assert (failed.state, failed.reason) == ("failed", "could not put back: the units x.service")
    (systemd.folder / "units/x.service/becomes").unlink()
    assert systemd.restore().state == "changed"
    assert (systemd.folder / "units/x.service/active").read_text() == "active\n"


def test_a_unit_that_went_with_its_package_is_not_started_again(systemd: Machine) -> None:
    """A distribution starts what it installs: a unit may run before Raijin sees it, and be gone when all is undone."""
    unit(systemd, "haproxy.service", active="active", boot="enabled")
    assert systemd.run(File("/etc/h.cfg", "1"), Unit("haproxy", watches=("/etc/h.cfg",))).states == [
        "changed",
        "changed",
    ]
    (systemd.folder / "units" / "haproxy.service" / "load").write_text("not-found\n")
    (systemd.folder / "units" / "haproxy.service" / "active").write_text("inactive\n")
    calls(systemd)
    assert systemd.restore().state == "changed"
    assert not any(call.startswith(("start", "restart")) for call in calls(systemd))


def test_no_init_system(machine: Machine) -> None:
    refused = machine.run(Unit("x")).one()
    assert (refused.state, refused.reason) == (
        "refused",
        "no init system that Raijin knows is running (systemd, OpenRC)",
    )


def test_openrc(machine: Machine) -> None:
    machine.sh("mkdir -p /run/openrc/started /etc/runlevels/default /etc/init.d; touch /etc/init.d/containerd")
    machine.tool(
        "rc-service",
        """
        shift
        case $2 in stop) rm /run/openrc/started/$1;; *) touch /run/openrc/started/$1; echo $2 >>$0.calls;; esac
        """,
    )
    machine.tool(
        "rc-update", "case $2 in add) touch /etc/runlevels/default/$3;; *) rm /etc/runlevels/default/$4;; esac\n"
    )
    wanted = Unit("containerd", watches=("/etc/c.toml",))
    both = (File("/etc/c.toml", "1"), wanted)
    assert machine.check(*both).states == ["would-change"] * 2
    assert machine.run(*both).states == ["changed"] * 2
    assert machine.run(*both).states == ["ok"] * 2
    assert machine.run(File("/etc/c.toml", "2"), wanted).states == ["changed"] * 2
    assert (machine.tools / "rc-service.calls").read_text() == "start\nrestart\n"
    assert machine.run(Restore()).states == ["changed"]
    assert (
        machine.sh("ls /run/openrc/started /etc/runlevels/default; ls /etc/c.toml 2>&1 || :").count("containerd") == 0
    )


def test_a_restart_happens_each_time(systemd: Machine) -> None:
    unit(systemd, "kubelet.service", active="active")
    assert systemd.check(Restart("kubelet")).states == ["would-change"]
    assert calls(systemd) == []
    for _ in range(2):
        assert systemd.run(Restart("kubelet"), File("/etc/after", "x")).states[0] == "changed"
    assert [call for call in calls(systemd) if call.startswith("restart")] == ["restart -- kubelet.service"] * 2


def test_a_restart_that_fails_stops_the_program(systemd: Machine) -> None:
    unit(systemd, "kubelet.service", active="active", becomes="failed")
    failed, after = systemd.run(Restart("kubelet"), File("/etc/after", "x")).reports
    assert (failed.state, after.state) == ("failed", "skipped")
    assert "kubelet.service did not become active" in failed.reason


def test_everything_is_read_anew_once_and_before_it_matters(systemd: Machine) -> None:
    """A reload costs a host more than all else in a program; each of these alone used to make one."""
    calls_to = systemd.folder / "calls"
    systemd.tool(
        "systemctl",
        'case $1 in list-units) echo "swapfile.swap loaded inactive dead /swapfile"; exit;; esac\n'
        f'echo "$*" >>{calls_to}\n'
        f"case $1 in show) grep -q start {calls_to} && state=active || state=inactive\n"
        'printf "Names=x.service\\nLoadState=loaded\\nActiveState=%s\\nUnitFileState=enabled\\n" $state;; esac\n',
    )
    systemd.at("/etc/fstab").write_text("/swapfile none swap sw 0 0\n")
    file = File("/etc/systemd/system/x.service", "[Service]\n")
    assert systemd.run(Swap(), file, Unit("x")).states == ["changed"] * 3
    made = [line for line in calls(systemd) if not line.startswith("show")]
    assert made == [
        "--no-reload mask -- swapfile.swap",
        "daemon-reload",
        "--no-ask-password start -- x.service",
    ]


def test_what_nobody_asks_about_is_read_anew_at_the_end(systemd: Machine) -> None:
    systemd.at("/etc/fstab").write_text("/swapfile none swap sw 0 0\n")
    assert systemd.run(Swap(), File("/etc/x", "x")).states == ["changed", "changed"]
    assert calls(systemd)[-1] == "daemon-reload "
    assert systemd.run(Swap(), File("/etc/x", "x")).states == ["ok", "ok"]
    assert calls(systemd) == []
