"""A program that carries large contents up and down at once, and says how its memory grew. Started by the tests."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react

from cli import Client

FILES = 6
STREAMS = 6


def memory() -> int:
    """Bytes resident at most since the start."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def zeros(size: int) -> Callable[[int], bytes]:
    """Return what reads so many bytes of nothing."""
    left = size

    def read(most: int) -> bytes:
        nonlocal left
        given = min(most, left)
        left -= given
        return bytes(given)

    return read


async def carry(reactor: Any, port: str, folder: str, size: str) -> None:
    """Send files and streams of ``size`` bytes each, fetch and save them all again."""
    client = await Client.new("ann", port=int(port), client="c", read=False, reactor=reactor)
    path = Path(folder) / "file"
    with path.open("wb") as file:
        file.truncate(int(size))
    before = memory()
    ids = await gatherResults(
        [
            *(client.send_file(path) for _ in range(FILES)),
            *(client.send_stream(zeros(int(size)), name="stream") for _ in range(STREAMS)),
        ]
    )
    hashes = [hashlib.sha256() for _ in range(FILES)]
    await gatherResults(
        [
            *(client.fetch(id, write=hash.update) for id, hash in zip(ids, hashes, strict=False) if id),
            *(client.save(id, path.with_name(f"{id}")) for id in ids[FILES:] if id),
        ]
    )

    grown = memory() - before
    assert {hash.hexdigest() for hash in hashes} == {hashlib.sha256(path.read_bytes()).hexdigest()}
    print(grown)
    await client.close()


if __name__ == "__main__":
    react(lambda reactor, *arguments: Deferred.fromCoroutine(carry(reactor, *arguments)), sys.argv[1:])
