"""IRC servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bench.load import Step
from bench.peers.process import Served


class Irc(Served):
    """What the two have in common; who speaks is not in the channel, which IRC allows where it is not forbidden."""

    largest: ClassVar = 400  # a line has 512 bytes

    def entering(self, name: str, room: str = "lobby") -> Sequence[Step]:  # noqa: D102
        return [*self.speaking(name), (b"JOIN #%s\r\n" % room.encode(), b" 366 ")]

    def speaking(self, name: str, room: str = "lobby") -> Sequence[Step]:  # noqa: ARG002, D102
        # 255 tells how many are there: who is told that has come in
        return [(b"NICK %s\r\nUSER %s 0 * :x\r\n" % (name.encode(), name.encode()), b" 255 ")]

    def saying(self, number: int, body: bytes, room: str = "lobby") -> bytes:  # noqa: ARG002, D102
        return b"PRIVMSG #%s :%s\r\n" % (room.encode(), body)


class NgIrcd(Irc):
    """Nobody is held back for speaking much."""

    name: ClassVar = "ngircd"
    program: ClassVar = "ngircd"
    package: ClassVar = "ngircd"
    at_once: ClassVar = 8  # it lets ten wait to be accepted
    most: ClassVar = 1500  # each who joins is told to all who are in; near 2,000 it stops

    _CONFIGURATION = """
[Global]
Name = irc.bench.example
AdminInfo1 = bench
AdminEMail = bench@example.com
Info = bench
Listen = 127.0.0.1
Ports = {port}
MotdFile = /dev/null/none
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 30
MaxPenaltyTime = 0
PingTimeout = 3600
PongTimeout = 600
[Options]
DNS = no
Ident = no
PAM = no
"""

    def command(self) -> Sequence[str]:  # noqa: D102
        file = self.folder / "ngircd.conf"
        file.write_text(self._CONFIGURATION.format(port=self.port))
        return [self.find(), "--nodaemon", "--config", str(file)]


class InspIrcd(Irc):
    """Nobody is held back for speaking much or for reading little."""

    name: ClassVar = "inspircd"
    program: ClassVar = "inspircd"
    package: ClassVar = "inspircd"
    at_once: ClassVar = 1000  # it greets once a second whoever has come meanwhile
    most: ClassVar = 2000  # each who joins is told to all who are in

    _CONFIGURATION = """
<server name="irc.bench.example" description="bench" network="Bench">
<admin name="bench" nick="bench" email="bench@example.com">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect allow="*" timeout="600" pingfreq="3600" hardsendq="4294967295" softsendq="2147483647" recvq="67108864"
    threshold="1000000000" commandrate="1000000000" fakelag="no" localmax="100000" globalmax="100000" limit="100000"
    maxconnwarn="no" resolvehostnames="no" useident="no" maxchans="1000">
<performance netbuffersize="65534" somaxconn="4096" softlimit="100000">
<options defaultmodes="">
<log method="file" type="*" level="default" target="{folder}/inspircd.log">
<files motd="">
<pid file="{folder}/pid">
<path configdir="{folder}" datadir="{folder}" logdir="{folder}" runtimedir="{folder}">
"""

    def command(self) -> Sequence[str]:  # noqa: D102
        file = self.folder / "inspircd.conf"
        file.write_text(self._CONFIGURATION.format(port=self.port, folder=self.folder))
        return [self.find(), "--nofork", "--runasroot", "--config", str(file)]
