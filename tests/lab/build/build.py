#!/usr/bin/env python3
"""Build the lab's air-gap material: real Kubernetes and what it runs on, from source, without a release download.

    python3 tests/lab/build/build.py --out DIR [--kubernetes v1.35.4 | --part NAME]

DIR then holds artifacts.yaml, files/ and images/, which is what `raijin bundle create --from DIR` reads.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import platform
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common import BuildError, say
from components import KUBERNETES, KUBERNETES_MODULE, companions
from golang import Go
from output import Material, write_output
from parts import OPTIONAL, Part, kubernetes

HERE = Path(__file__).resolve().parent
INPUTS = ("*.py", "*.c", "modules/**/*.*")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
STAMP = ".raijin-lab-build"


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a stop takes the compiler with it
    try:
        arch = _architecture()
        label = _label(options)
        if options.print_key:
            sys.stdout.write(f"{_key(label, arch)}\n")
            return 0
        out = _finished(label, arch)
        if out is None or options.write_locks:
            with _only_one(_cache()):
                out = _build(options, label, arch)
        if options.out is not None:
            _publish(out, options.out.expanduser().resolve())
        sys.stdout.write(f"{options.out or out}\n")
    except BuildError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("stopped; the next run goes on from here")
        return 130
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where to put the result (default: stay in the cache)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--kubernetes", type=_version, default=KUBERNETES, metavar="vX.Y.Z", help=f"({KUBERNETES})")
    what.add_argument("--part", choices=sorted(OPTIONAL), help="build this instead of Kubernetes")
    parser.add_argument("--jobs", type=int, default=2, help="compilations at a time (%(default)s)")
    parser.add_argument("--print-key", action="store_true", help="print the cache key and leave")
    parser.add_argument("--write-locks", action="store_true", help="write modules/*/go.mod and go.sum of this build")
    options = parser.parse_args(arguments)
    if options.write_locks and options.kubernetes != KUBERNETES:
        parser.error(f"only {KUBERNETES}, the version in components.py, is locked in modules/")
    return options


def _version(text: str) -> str:
    if not re.fullmatch(r"v1\.\d+\.\d+", text):
        message = f"{text} is not a version such as {KUBERNETES}"
        raise argparse.ArgumentTypeError(message)
    return text


def _architecture() -> str:
    machine = platform.machine()
    if sys.platform != "linux" or machine not in ARCHITECTURES:
        message = f"the lab is built on Linux, on {' or '.join(ARCHITECTURES)}; this is {sys.platform} on {machine}"
        raise BuildError(message)
    return ARCHITECTURES[machine]


def _cache() -> Path:
    base = os.environ.get("RAIJIN_LAB_CACHE") or "~/.cache/raijin-lab"
    return Path(base).expanduser().resolve() / "build"


def _label(options: argparse.Namespace) -> str:
    """What the result is called in the cache."""
    return f"{options.part}-{OPTIONAL[options.part].version}" if options.part else options.kubernetes


def _key(label: str, arch: str) -> str:
    """What the output depends on: the versions, the locks and these programs."""
    digest = hashlib.sha256(f"{label} {arch}\n".encode())
    for path in sorted({path for pattern in INPUTS for path in HERE.glob(pattern)}):
        digest.update(f"{path.relative_to(HERE)}\n".encode() + path.read_bytes())
    return f"{label}-{arch}-{digest.hexdigest()[:12]}"


@contextmanager
def _only_one(cache: Path) -> Iterator[None]:
    """Two builds in one cache wait for each other; the lock goes with the process."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another build uses {cache}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _finished(label: str, arch: str) -> Path | None:
    out = _cache() / _key(label, arch) / "out"
    return out if (out / STAMP).exists() else None


def _build(options: argparse.Namespace, label: str, arch: str) -> Path:
    finished = _finished(label, arch)
    if finished is not None and not options.write_locks:
        return finished  # another run built it while this one waited
    os.nice(10)
    cache = _cache()
    go = Go(cache, options.jobs)
    part = _part(options, go)
    components = {component.name: component for component in part.components}
    built = {name: go.build(each, write_locks=options.write_locks) for name, each in components.items()}
    key = _key(label, arch)  # after the locks were written
    unfinished, out = cache / key / "out.part", cache / key / "out"
    shutil.rmtree(unfinished, ignore_errors=True)
    material = Material(components, built, go, cache, arch)
    write_output(unfinished, arch, part.artifacts(material), part.images(material))
    (unfinished / STAMP).write_text(f"{key}\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    unfinished.rename(out)
    _remove_superseded(out.parent, f"{label}-{arch}-*")
    for name, result in built.items():
        _remove_superseded(result.folder, f"{name}-{components[name].version}-*")
    times = ", ".join(f"{name} {result.seconds:.0f}" for name, result in built.items())
    say(f"compiled in seconds: {times}")
    return out


def _part(options: argparse.Namespace, go: Go) -> Part:
    if options.part:
        return OPTIONAL[options.part]
    source = Path(go.download(KUBERNETES_MODULE, options.kubernetes)["Dir"])
    return kubernetes(options.kubernetes, companions(source))


def _remove_superseded(kept: Path, pattern: str) -> None:
    """Drop what earlier states of this builder left for the same version."""
    for path in kept.parent.glob(pattern):
        if path != kept:
            shutil.rmtree(path)


def _publish(source: Path, target: Path) -> None:
    """Hard links where the file system allows it, copies elsewhere: the files are for reading."""
    stamp = target / STAMP
    if stamp.exists():
        if stamp.read_bytes() == (source / STAMP).read_bytes():
            return
        shutil.rmtree(target)
    elif target.exists() and any(target.iterdir()):
        message = f"{target} holds something that this builder did not write; choose an empty directory"
        raise BuildError(message)
    unfinished = target.with_name(f".{target.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(source, unfinished, copy_function=_link_or_copy)
    unfinished.rename(target)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


if __name__ == "__main__":
    sys.exit(main())
