"""A bad network for tests: a TCP proxy that cuts, stalls and cuts up what goes through it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.chance import new_seed


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to one connection; places are counts of bytes that went one way."""

    cut_up: int | None = None  # cut behind so many bytes from the client
    cut_down: int | None = None  # cut behind so many bytes from the server
    one_sided: bool = False  # a cut is not told to the server: to it the client only falls silent
    piece: int = 65_536  # bytes that are passed on at once, at most
    stall_at: int | None = None  # either way, behind so many bytes …
    stall: float = 0.0  # … nothing passes for so many seconds


def calm(_: random.Random) -> Fate:
    """Let everything through."""
    return Fate()


class Proxy:
    """``with Proxy(server.address, fate) as proxy:`` listens at ``proxy.address``, in a thread of its own.

    ``fate`` is asked once for every connection, with ``chance``, or a random source whose seed is printed.
    """

    def __init__(
        self,
        target: tuple[str, int],
        fate: Callable[[random.Random], Fate] = calm,
        chance: random.Random | None = None,
    ) -> None:
        self.fate = fate  # may be exchanged at any time
        self.connections = 0
        self.cuts = 0
        self.address: tuple[str, int] = ("", 0)
        self._target = target
        self._random = chance or random.Random(new_seed())
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10), "the proxy does not listen"

    def close(self) -> None:
        """Cut everything and end the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join(10)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._accepted: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024)
        self.address = server.sockets[0].getsockname()
        self._ready.set()
        await self._closing.wait()
        server.close()
        while self._accepted:
            for writer in self._open:
                writer.transport.abort()
            await asyncio.wait(self._accepted, timeout=0.1)

    def _accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._join(client, to_client))
        self._accepted.add(task)
        task.add_done_callback(self._accepted.discard)

    async def _join(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        self.connections += 1
        fate = self.fate(self._random)
        try:
            server, to_server = await asyncio.open_connection(*self._target)
        except OSError:
            to_client.transport.abort()
            return
        both = {to_client, to_server}
        self._open |= both
        ways = [
            asyncio.ensure_future(self._pass_up(client, to_server, fate)),
            asyncio.ensure_future(self._pass_down(server, to_client, fate)),
        ]
        try:
            for way in asyncio.as_completed(ways):
                if await way:
                    self.cuts += 1
                    if fate.one_sided:
                        both.discard(to_server)  # it stays open until the proxy ends
                    break
        finally:
            for task in ways:
                task.cancel()
            for writer in both:
                writer.transport.abort()
            self._open -= both

    async def _pass_up(self, client: asyncio.StreamReader, server: asyncio.StreamWriter, fate: Fate) -> bool:
        return await self._pass_on(client, server, fate, fate.cut_up)

    async def _pass_down(self, server: asyncio.StreamReader, client: asyncio.StreamWriter, fate: Fate) -> bool:
        return await self._pass_on(server, client, fate, fate.cut_down)

    async def _pass_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, fate: Fate, cut: int | None
    ) -> bool:
        """Pass on one direction; True where it was cut, False where it came to its own end."""
        marks = sorted(mark for mark in (cut, fate.stall_at) if mark is not None)  # where something happens
        passed = 0
        with contextlib.suppress(OSError):  # one end is gone
            while passed != cut:
                room = min([fate.piece, *(mark - passed for mark in marks if mark > passed)])
                data = await source.read(room)
                if not data:
                    if sink.can_write_eof():
                        sink.write_eof()
                    return False
                sink.write(data)
                await sink.drain()
                passed += len(data)
                if passed == fate.stall_at:
                    await asyncio.sleep(fate.stall)
            return True
        return False
