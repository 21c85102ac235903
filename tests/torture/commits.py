"""A network between a server and its MySQL that breaks exactly at a COMMIT."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from tests.proxy import Fate, Proxy

COMMIT: Final = b"\x03COMMIT"  # a packet's payload: COM_QUERY and the statement


class Cut(Enum):
    """Where a connection ends."""

    BEFORE = "before the COMMIT reaches the database"
    AT_ONCE = "behind the COMMIT, while the database works on it"
    BEHIND = "behind the COMMIT, when its answer has come but went no further"


@dataclass(frozen=True, slots=True)
class CommitFate(Fate):
    """One connection's: which COMMIT is cut is asked at each of them."""

    holding: asyncio.Event = field(default_factory=asyncio.Event)  # no answer goes on
    answered: asyncio.Event = field(default_factory=asyncio.Event)  # one came that did not go on


class CommitProxy(Proxy):
    """A :class:`Proxy` for MySQL's protocol; ``cut`` is asked at every COMMIT."""

    def __init__(
        self, target: tuple[str, int], cut: Callable[[random.Random], Cut | None], chance: random.Random | None = None
    ) -> None:
        super().__init__(target, lambda _: CommitFate(), chance)
        self.cut = cut
        self.made: Counter[Cut] = Counter()

    async def _pass_up(self, client: asyncio.StreamReader, server: asyncio.StreamWriter, fate: Fate) -> bool:
        assert isinstance(fate, CommitFate)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await client.readexactly(4)  # 3 bytes of length, the packet's number
                payload = await client.readexactly(int.from_bytes(head[:3], "little"))
                cut = self.cut(self._random) if payload == COMMIT else None
                if cut is not None:
                    self.made[cut] += 1
                if cut is Cut.BEFORE:
                    return True
                if cut is Cut.BEHIND:
                    fate.holding.set()
                server.write(head + payload)
                await server.drain()
                if cut is Cut.BEHIND:
                    await fate.answered.wait()
                if cut is not None:
                    return True
        return False

    async def _pass_down(self, server: asyncio.StreamReader, client: asyncio.StreamWriter, fate: Fate) -> bool:
        assert isinstance(fate, CommitFate)
        with contextlib.suppress(OSError):
            while data := await server.read(65_536):
                if fate.holding.is_set():
                    fate.answered.set()
                    continue
                client.write(data)
                await client.drain()
        return False
