"""The OpenAPI document of the server on standard output, for the client of the dashboard. Starts nothing."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from raijin.api.application import application
from raijin.app.service import Service


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        document = application(Service(home, home / "definitions", runs_jobs=False)).openapi()
    json.dump(document, sys.stdout, indent=1, sort_keys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
