"""The physical floor in Python: one asyncssh connection and one execution of one script per host, and nothing else.

by_asyncssh.py INVENTORY.JSON SCRIPT OUTPUT_FOLDER
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import asyncssh


async def main(inventory: Path, script: str, output: Path) -> None:
    site = json.loads(inventory.read_text())
    key = asyncssh.read_private_key(site["key"])
    known = asyncssh.read_known_hosts(site["known_hosts"])

    async def one(name: str, address: str) -> None:
        async with asyncssh.connect(
            address,
            username="root",
            client_keys=[key],
            known_hosts=known,
            agent_path=None,
            config=None,
            kex_algs=["curve25519-sha256"],
            encryption_algs=["aes128-gcm@openssh.com"],
            compression_algs=["none"],
        ) as connection:
            done = await connection.run(f"sh -s {name}", input=script, check=True)
            await asyncio.to_thread((output / name).write_text, str(done.stdout) + str(done.stderr))

    await asyncio.gather(*(one(name, address) for name, address in site["hosts"].items()))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]).read_text(), Path(sys.argv[3])))
