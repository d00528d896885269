"""What operations on packages, units, the kernel and accounts do to a simulated host."""

from __future__ import annotations

from raijin.operations.address import AddressFree
from raijin.operations.group import Group
from raijin.operations.hostname import Hostname
from raijin.operations.kernelmodule import KernelModule
from raijin.operations.mount import Mount
from raijin.operations.package import Package
from raijin.operations.reboot import Reboot
from raijin.operations.report import FieldChange
from raijin.operations.repository import Repository
from raijin.operations.restart import Restart
from raijin.operations.staticpod import StaticPod
from raijin.operations.swap import Swap
from raijin.operations.sysctl import Sysctl, live_path
from raijin.operations.unit import Unit as UnitOperation
from raijin.operations.unit import with_type
from raijin.operations.user import User
from raijin.twin.commands import succeeds
from raijin.twin.files import compared
from raijin.twin.host import STAMPS, Entry, Host, Unit
from raijin.twin.run import Failed, Found, Rebooting, Refused, Run

UNITS_OF = {
    "chrony": ("chrony.service",), "dnsmasq": ("dnsmasq.service",), "haproxy": ("haproxy.service",),
    "keepalived": ("keepalived.service",), "open-iscsi": ("iscsid.service",), "nfs-common": (),
}  # fmt: skip
"""The units that come with a package."""


def check_package(run: Run, wanted: Package) -> Found:
    differing = [name for name in wanted.names if (("package", name) in run.host.things) is not wanted.present]
    states = ("absent", "installed") if wanted.present else ("installed", "absent")
    return [FieldChange(name, *states) for name in differing]


def change_package(run: Run, wanted: Package) -> None:
    for name in wanted.names:
        run.set(("package", name), True if wanted.present else None)
        for unit in UNITS_OF.get(name, ()):
            run.set(
                ("unit", unit), Unit(running=True, enabled=True, started=run.host.tick()) if wanted.present else None
            )


def check_repository(run: Run, wanted: Repository) -> Found:
    return [
        change for path, content in _sources(run, wanted) for change in compared(run.host, path, Entry(content=content))
    ]


def _sources(run: Run, wanted: Repository) -> tuple[tuple[str, str], ...]:
    """Key and source for apt, or for dnf."""
    return wanted.files()[:2] if run.host.family == "debian" else wanted.files()[2:4]


def change_repository(run: Run, wanted: Repository) -> None:
    for path, content in _sources(run, wanted):
        run.write(path, content)


def check_unit(run: Run, wanted: UnitOperation) -> Found:
    unit = run.host.unit(wanted.unit)
    have = unit or Unit()
    found: Found = []
    for name, want, is_so in (("masked", wanted.masked, have.masked), ("enabled", wanted.enabled, have.enabled)):
        if want is not None and want is not is_so and (unit is not None or want):
            found.append(FieldChange(name, _yes(is_so), _yes(want)))
    if wanted.running is not None and wanted.running is not have.running:
        found.append(FieldChange("running", "active" if have.running else "inactive", _yes(wanted.running)))
    if wanted.running and have.running and _outdated(run, wanted, have):
        found.append(FieldChange("configuration", "changed since its start", "restarted"))
    return found


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _outdated(run: Run, wanted: UnitOperation, have: Unit) -> bool:
    if run.touched.intersection(wanted.watches):
        return True
    text = run.host.text(_file(wanted.unit))
    if text != have.text:
        return True
    if have.sums is not None:
        return bool(wanted.watches) and have.sums != _sums(run.host, wanted.watches)
    return any((entry := run.host.entry(path)) and entry.at > have.started for path in wanted.watches)


def _file(unit: str) -> str:
    return f"/etc/systemd/system/{unit}"


def _sums(host: Host, paths: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((path, host.sum(path)) for path in paths)


def change_unit(run: Run, wanted: UnitOperation) -> None:
    unit = run.host.unit(wanted.unit)
    if unit is None:
        if wanted.running or wanted.enabled:
            raise Failed(f"there is no unit {wanted.unit} on this host")
        return
    masked = unit.masked if wanted.masked is None else wanted.masked
    enabled = unit.enabled if wanted.enabled is None else wanted.enabled
    running, sums, text, started = unit.running, unit.sums, unit.text, unit.started
    if wanted.running:
        restart = not running or _outdated(run, wanted, unit)
        if restart:
            running, started = True, run.host.tick()
        sums, text = _sums(run.host, wanted.watches), run.host.text(_file(wanted.unit))
    elif wanted.running is False:
        running = False
    run.set(("unit", wanted.unit), Unit(running, enabled, masked, sums, text, started))
    run.site.unit_changed(run.host, wanted.unit)


def check_restart(run: Run, wanted: Restart) -> Found:
    return [] if wanted.unit in run.restarted else [FieldChange("state", "running", "restarted")]


def change_restart(run: Run, wanted: Restart) -> None:
    name = with_type(wanted.unit)
    if run.host.unit(name) is None:
        raise Failed(f"{name} did not become active (there is no such unit)")
    run.host.start_unit(name)
    run.restarted.add(wanted.unit)
    run.site.unit_changed(run.host, name)


def check_staticpod(run: Run, wanted: StaticPod) -> Found:
    started = run.site.static_pod(run.host, wanted.name)
    if not started:
        return [FieldChange("state", "absent", "running")]
    for path in wanted.watches:
        entry = run.host.entry(path)
        if path in run.touched or (entry is not None and entry.at > started):
            return [FieldChange("configuration", f"{path} changed since its start", "restarted")]
    return []


def change_staticpod(run: Run, wanted: StaticPod) -> None:
    if not run.site.restart_static_pod(run.host, wanted.name):
        raise Failed(f"{wanted.name} was not started again within {wanted.timeout} s")


def check_sysctl(run: Run, wanted: Sysctl) -> Found:
    found = compared(run.host, wanted.path, Entry(content=wanted.content))
    for key, value in wanted.settings:
        have = run.host.things.get(("setting", live_path(key)), "0")
        if have != value:
            found.append(FieldChange(key, str(have), value))
    return found


def change_sysctl(run: Run, wanted: Sysctl) -> None:
    run.write(wanted.path, wanted.content)
    for key, value in wanted.settings:
        run.set(("setting", live_path(key)), value)


def check_modules(run: Run, wanted: KernelModule) -> Found:
    found = compared(run.host, wanted.path, Entry(content=wanted.content))
    absent = [name for name in wanted.names if ("module", name) not in run.host.things]
    return found + [FieldChange(f"module {name}", "not loaded", "loaded") for name in absent]


def change_modules(run: Run, wanted: KernelModule) -> None:
    run.write(wanted.path, wanted.content)
    for name in wanted.names:
        run.set(("module", name), True)


def check_swap(run: Run, wanted: Swap) -> Found:
    if wanted.enabled or ("swap", "") not in run.host.things:
        return []
    return [
        FieldChange("swap in use", "/swapfile", "off"),
        FieldChange("swap in /etc/fstab", "/swapfile", "commented out"),
    ]


def change_swap(run: Run, wanted: Swap) -> None:
    del wanted
    run.set(("swap", ""), None)
    run.write("/etc/fstab", run.host.text("/etc/fstab").replace("\n/swapfile", "\n# raijin: /swapfile"))


def check_mount(run: Run, wanted: Mount) -> Found:
    if run.host.things.get(("mount", wanted.path)) == wanted.device:
        return []
    return [FieldChange("mounted", "no", wanted.device)]


def change_mount(run: Run, wanted: Mount) -> None:
    if not run.host.exists(wanted.path):
        raise Failed(f"the folder {wanted.path} does not exist")
    line = f"{wanted.device} {wanted.path} {wanted.filesystem} {wanted.options} 0 0\n"
    run.write("/etc/fstab", run.host.text("/etc/fstab") + line)
    run.set(("mount", wanted.path), wanted.device)


def check_hostname(run: Run, wanted: Hostname) -> Found:
    have = run.host.text("/etc/hostname").strip()
    return [] if have == wanted.name else [FieldChange("name", have, wanted.name)]


def change_hostname(run: Run, wanted: Hostname) -> None:
    run.write("/etc/hostname", f"{wanted.name}\n")


def check_group(run: Run, wanted: Group) -> Found:
    return [] if ("group", wanted.name) in run.host.things else [FieldChange("state", "absent", "group")]


def change_group(run: Run, wanted: Group) -> None:
    run.set(("group", wanted.name), wanted.gid or 0)


def check_user(run: Run, wanted: User) -> Found:
    have = run.host.things.get(("user", wanted.name))
    want = (wanted.group, wanted.groups, wanted.home, wanted.shell)
    if have is None:
        return [FieldChange("state", "absent", "user")]
    return [] if have == want else [FieldChange("account", str(have), str(want))]


def change_user(run: Run, wanted: User) -> None:
    run.set(("user", wanted.name), (wanted.group, wanted.groups, wanted.home, wanted.shell))


def check_address(run: Run, wanted: AddressFree) -> Found:
    holder = next((host for host in run.site.hosts.values() if host.up and host.address == wanted.address), None)
    if holder is not None and holder.mac not in wanted.macs and holder is not run.host:
        raise Refused(f"{wanted.address} is in use by {holder.mac}")
    return []


def check_reboot(run: Run, wanted: Reboot) -> Found:
    flagged = bool(wanted.flag) and run.host.exists(wanted.flag)
    if not flagged and not (wanted.when and succeeds(run.site, run.host, wanted.when)):
        return []
    return [FieldChange("reboot", wanted.flag if flagged else wanted.when[0], "started again")]


def change_reboot(run: Run, wanted: Reboot) -> None:
    del wanted
    run.host.reboot()
    raise Rebooting


def unchanged(run: Run, wanted: object) -> None:
    """For operations that only refuse: there is nothing to change."""
    del run, wanted


def note(host: Host, name: str, value: str) -> None:
    """A stamp of Raijin's on the host."""
    host.things["path", f"{STAMPS}/{name}"] = Entry(content=value, at=host.tick())
