"""Handing a secret to another program as a file that no disk ever holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import NamedTemporaryFile


@contextmanager
def private_file(text: str) -> Iterator[str]:
    """The path of a file that another program reads and no disk ever holds, where the kernel has such files."""
    if not hasattr(os, "memfd_create"):
        with NamedTemporaryFile("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            yield file.name
        return
    descriptor = os.memfd_create("raijin")
    try:
        os.write(descriptor, text.encode())
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)
