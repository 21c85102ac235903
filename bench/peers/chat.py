"""Console Chat, each message committed and synced before anyone sees it, and the server that one would write first."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import ClassVar, Final
from unittest import SkipTest

from bench.load import Step
from bench.peers.process import Missing, Served
from tests.mariadb import MariaDB
from tests.processes import ROOT
from wire.frames import Login, Send, encode

LIMITS: Final = ("--max-clients", "15000")


class ConsoleChat(Served):
    """As it comes, on an SQLite file of its own, or on the database at ``url``."""

    name: ClassVar = "chat"
    program: ClassVar = sys.executable
    at_once: ClassVar = 1000

    def __init__(self, url: str = "") -> None:
        super().__init__()
        self.url = url or f"sqlite:///{self.folder / 'chat.db'}"

    def command(self) -> Sequence[str]:  # noqa: D102
        where = f"tcp:{self.port}:interface=127.0.0.1"
        return [self.program, str(ROOT / "cmd" / "server"), "--listen", where, "--db", self.url, *LIMITS]

    def entering(self, name: str, room: str = "lobby") -> Sequence[Step]:  # noqa: D102
        return [(encode(Login(name, client=name, rooms={room: None}, history=0)), b'"welcome"')]

    def saying(self, number: int, body: bytes, room: str = "lobby") -> bytes:  # noqa: D102
        return encode(Send(number, room), body)


class ChatOnMariaDB(ConsoleChat):
    """The same, on a MariaDB of this machine that is as durable."""

    name: ClassVar = "chat-mariadb"

    def __init__(self) -> None:
        database = MariaDB.shared()
        super().__init__(database.url(database.create()).render_as_string(hide_password=False))

    @classmethod
    def find(cls) -> str:  # noqa: D102
        try:
            MariaDB.shared()
        except (SkipTest, AssertionError) as missing:
            raise Missing(f"{cls.name}: {missing}") from None
        return super().find()


class Naive(Served):
    """``bench/naive.py``."""

    name: ClassVar = "naive"
    program: ClassVar = sys.executable

    def command(self) -> Sequence[str]:  # noqa: D102
        return [self.program, str(ROOT / "bench" / "naive.py"), str(self.port)]

    def entering(self, name: str, room: str = "lobby") -> Sequence[Step]:  # noqa: ARG002, D102
        return [(name.encode() + b"\r\n", b"hello\r\n")]

    def saying(self, number: int, body: bytes, room: str = "lobby") -> bytes:  # noqa: ARG002, D102
        return body + b"\r\n"
