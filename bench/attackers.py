"""What has been done to servers of this kind: each function goes on until it is ended, from the addresses it is given.

The first line of each says which row of ``docs/security.md`` it is. They come from this machine, which no limit by
address holds up, as if each of their connections came from another one.
"""

from __future__ import annotations

import random
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import count, cycle
from select import select
from typing import Final, NamedTuple

from tests.attacks import ATTACKS as STRANGE
from tests.plain_client import encode
from tests.tls import trusting

MANY: Final = 1_000  # connections at once
LONGEST: Final = 60_000  # bytes of a text
PATIENCE: Final = 60.0  # seconds: who is slowed down may wait for long until the next of it is taken
ROOM: Final = "attacked"  # of the attackers' own


class Target(NamedTuple):
    """Where a server listens: without TLS, and with it."""

    plain: tuple[str, int]
    tls: tuple[str, int]


Attack = Callable[[Target], None]


def _open(address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, timeout=PATIENCE)


def _many(address: tuple[str, int]) -> list[socket.socket]:
    return [_open(address) for _ in range(MANY)]


def _login(user: str, room: str = ROOM) -> bytes:
    return encode("login", user=user, rooms={room: None}, history=0)


def _logged_in(target: Target, user: str, room: str = ROOM) -> socket.socket:
    attacker = _open(target.plain)
    attacker.sendall(_login(user, room))
    return attacker


def _say(attacker: socket.socket, parts: Iterable[bytes]) -> None:
    """Say one part after the other, as fast as it is taken, and read what comes: who does not is heard no more."""
    for part in parts:
        left = memoryview(part)
        while left:
            readable, writable, _ = select([attacker], [attacker], [], PATIENCE)
            if readable and not attacker.recv(1 << 20):
                raise ConnectionError("closed by the server")
            if writable:
                left = left[attacker.send(left) :]
            elif not readable:
                raise TimeoutError("heard no more")


def _strangers(target: Target, says: Iterator[bytes]) -> None:
    """Come, say one thing, hear the answer, be closed, and come again."""
    for said in says:
        with suppress(OSError), _open(target.plain) as attacker:
            attacker.sendall(said)
            attacker.shutdown(socket.SHUT_WR)
            while attacker.recv(10_000):
                pass


def _hold(_: object) -> None:
    """Go on as it is."""
    while True:
        time.sleep(60)


def _netstring(payload: bytes) -> bytes:
    return b"%d:%b," % (len(payload), payload)


def say_nothing(target: Target) -> None:
    """1. A thousand connections that say nothing."""
    _hold(_many(target.plain))


def stall_in_tls(target: Target) -> None:
    """1. A thousand that stall in the handshake of TLS."""
    held = _many(target.tls)
    for attacker in held:
        attacker.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    _hold(held)


def dribble(target: Target) -> None:
    """2. A thousand frames that come by a byte every ten seconds."""
    held = _many(target.plain)
    for said in cycle(b"65536:xxxxxx"):
        for number, attacker in enumerate(held):
            try:
                attacker.send(bytes([said]))
            except OSError:  # closed, half a minute after it came
                held[number] = _open(target.plain)
            time.sleep(10 / MANY)


def bad_lengths(target: Target) -> None:
    """3. Lengths without an end, negative, with zeros, beyond any number."""
    lengths = b"9" * LONGEST, b"-5:xxxxx,", b"005:xxxxx,", b"5xxxxx,", b"18446744073709551616:x,", b":,"
    _strangers(target, cycle(lengths))


def one_byte_short(target: Target) -> None:
    """4. A thousand frames of which the last byte is missing."""
    held = _many(target.plain)
    for attacker in held:
        attacker.sendall(b"65536:" + b"x" * 65_535)
    _hold(held)


def tiny_frames(target: Target) -> None:
    """5. A flood of tiny frames."""
    _say(_logged_in(target, "tiny"), cycle([encode("pong") * 10_000]))


def before_login(target: Target) -> None:
    """6. A flood before the login, again and again."""
    while True:
        with suppress(OSError), _open(target.plain) as attacker:
            for _ in range(100):
                attacker.sendall(b"1:x," * 10_000)


def logins(target: Target) -> None:
    """7. Logins as fast as they go."""
    _strangers(target, (_login(f"login{number}") for number in count()))


def stuck_readers(target: Target) -> None:
    """8. A thousand readers of the others' room and of a long one that do not read."""
    _hold(list(_readers(target, "stuck")))


def slow_readers(target: Target) -> None:
    """8. A thousand that read a byte a second."""
    held = list(_readers(target, "slow"))
    while True:
        for attacker in held:
            attacker.recv(1)
            time.sleep(1 / MANY)


def stuck_over_tls(target: Target) -> None:
    """8. A thousand readers over TLS that do not read."""
    _hold(list(_readers(target, "tls", trusting().wrap_socket)))


def _readers(target: Target, name: str, secure: Callable[..., socket.socket] | None = None) -> Iterator[socket.socket]:
    """Fill a room, then log in to that and to the others', with little room for what is to be read."""
    filling = _logged_in(target, name)
    filling.sendall(b"".join(encode("send", b"x" * LONGEST, seq=seq, room=ROOM) for seq in range(1, 100)))
    for number in range(MANY):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.connect(target.tls if secure else target.plain)
        reader = secure(reader) if secure else reader
        reader.sendall(encode("login", user=f"{name}{number}", rooms={ROOM: 0, "lobby": None}))
        yield reader


def flood(target: Target) -> None:
    """9. Ten senders as fast as they can."""
    senders = [_logged_in(target, f"flood{number}") for number in range(10)]
    for first in count(1, 100):
        said = b"".join(encode("send", b"x" * 100, seq=seq, room=ROOM) for seq in range(first, first + 100))
        for sender in senders:
            _say(sender, [said])


def large_texts(target: Target) -> None:
    """9. A sender of the longest texts, as fast as it can."""
    _say(_logged_in(target, "large"), (encode("send", b"x" * LONGEST, seq=seq, room=ROOM) for seq in count(1)))


def one_at_a_time(target: Target) -> None:
    """9. A hundred who say one thing at a time, without an end: the next when the last is stored."""
    saying = dict.fromkeys((_logged_in(target, f"ready{number}") for number in range(100)), 0)
    ready = list(saying)
    while True:
        for sender in ready:
            answered = sender.recv(1 << 20)
            if not saying[sender] or b'"ack"' in answered:
                saying[sender] += 1
                sender.sendall(encode("send", b"x" * 100, seq=saying[sender], room=ROOM))
        ready, _, _ = select(list(saying), [], [], PATIENCE)


def one_after_another(target: Target) -> None:
    """9. A hundred messages under one name, then under the next."""
    said = b"".join(encode("send", b"x" * 100, seq=seq, room=ROOM) for seq in range(1, 101))
    _strangers(target, (_login(f"name{number}") + said for number in count()))


def passwords(target: Target) -> None:
    """10. Passwords: sixteen at once that register, and guess."""

    def guesses() -> Iterator[bytes]:
        for number in count():
            yield _login(f"owner{number}") + encode("register", password="s\0ecret", ref=1)
            for guess in range(5):
                yield encode("login", user=f"owner{number}", password=f"guess{guess}", rooms={})

    under_way: list[socket.socket] = []
    for guess in guesses():
        under_way.append(_open(target.plain))
        under_way[-1].sendall(guess)
        if len(under_way) == 16:
            with suppress(OSError):
                under_way[0].recv(10_000)  # the pause for this one comes to an end, or it is let go
            under_way.pop(0).close()


def names(target: Target) -> None:
    """11. Names that look like another, or are none."""
    odd = (
        "\u0430nn",
        "\uff41\uff4e\uff4e",
        "ANN",
        "n\u0303",
        "\u200bann",
        "@ann",
        "",
        "x" * LONGEST,
        "\u0301\u0316" * 10_000,
    )
    _strangers(target, cycle([_login(name) for name in odd]))


def strange_texts(target: Target) -> None:
    """12. What terminals obey, and patterns and markup (15), as texts."""
    strange = (text.encode(errors="ignore")[:LONGEST] for text in STRANGE.values())
    texts = cycle([*strange, b"%s%n", b"'; DROP TABLE messages; --", b"100%_", b"{user}", b"\\ud800"])
    parts = (encode("send", text, seq=seq, room=ROOM) for seq, text in enumerate(texts, 1))
    _say(_logged_in(target, "strange"), parts)


def piles(target: Target) -> None:
    """13. Piles of marks, in every order, and what becomes longest when it is folded."""
    worst = "\u0301\u0316" * 15_000, "\u0301" * 15_000 + "\u0316" * 15_000, "\ufdfa" * 20_000, "\u202e\u200d" * 10_000
    parts = (encode("send", text.encode(), seq=seq, room=ROOM) for seq, text in enumerate(cycle(worst), 1))
    _say(_logged_in(target, "piles"), parts)


def not_text(target: Target) -> None:
    """14. What is not UTF-8, and halves of surrogates."""
    broken = cycle([b"\xff" * LONGEST, b"\xed\xa0\x80" * 10_000, b"x\x00\xc3"])
    parts = (encode("send", text, seq=seq, room=ROOM) for seq, text in enumerate(broken, 1))
    _say(_logged_in(target, "broken"), parts)


def searches(target: Target) -> None:
    """15. Searches for what is nowhere, in a room of long texts."""
    attacker = _logged_in(target, "searches")
    attacker.sendall(b"".join(encode("send", b"a" * LONGEST, seq=seq, room=ROOM) for seq in range(1, 200)))
    words = " ".join(f"a%_{number}" for number in range(150))
    asked = (encode("search", room=ROOM, query=words, limit=500, ref=ref) for ref in count())
    for question in asked:
        attacker.sendall(question)
        attacker.recv(100_000)


def file_names(target: Target) -> None:
    """16. Files with the names of paths, flags and commands."""
    bad = cycle(["../x", "-x", "$(x)", "a\nb", "CON", "\u00e4" * 200])

    def files() -> Iterator[bytes]:
        for seq, name in enumerate(bad, 1):
            yield encode("part", b"x", upload=seq, offset=0)
            yield encode("send", seq=seq, room=ROOM, upload=seq, size=1, name=name) + encode("drop", upload=seq)

    _say(_logged_in(target, "files"), files())


def handshakes(target: Target) -> None:
    """18. Handshakes of TLS, every other one of an old version."""
    old = trusting()
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    for context in cycle([old, trusting()]):
        with suppress(OSError):
            context.wrap_socket(_open(target.tls)).close()


def what_others_said(target: Target) -> None:
    """19. Questions about rooms, messages and uploads of others."""

    def questions() -> Iterator[bytes]:
        for ref in count():
            yield encode("fetch", room="lobby", id=ref % 1_000, ref=5 * ref)
            yield encode("history", room="lobby", limit=500, ref=5 * ref + 1)
            yield encode("search", room="@owner", query="x", limit=500, ref=5 * ref + 2)
            yield encode("delete", room=ROOM, id=ref, ref=5 * ref + 3)
            yield encode("resume", upload=ref, ref=5 * ref + 4)

    _say(_logged_in(target, "curious"), questions())


def hoards(target: Target) -> None:
    """20. Joins, questions and uploads without an end; what is not there is cancelled and dropped."""

    def wishes() -> Iterator[bytes]:
        for number in count():
            yield encode("join", room=f"hoard{number}") + encode("part", b"x", upload=number, offset=number % 2)
            yield encode("rooms", ref=number) * 2 + encode("cancel", ref=number + 1) + encode("drop", upload=number + 1)

    _say(_logged_in(target, "hoards"), wishes())


def bombs(target: Target) -> None:
    """21. Headers that are deep, long and wrong."""
    insides = (
        b'"ref":-1,"x":[' + b",".join([b'"\\u00e4"'] * 6_000) + b"]",
        b'"x":' + b"[" * 30_000 + b"]" * 30_000,
        b'"x":[' + b"[]," * 20_000 + b"0]",
        b",".join(b'"k%d":0' % number for number in range(5_000)) + b',"ref":-1',
        b'"ref":1' + b"0" * 10_000,
        b'"ref":1e999',
    )
    bombs = cycle([_netstring(b'{"type":"ping",%b}' % inside) for inside in insides])
    while True:
        with suppress(OSError):  # some of them end the connection
            _say(_logged_in(target, "bombs"), bombs)


def other_protocols(target: Target) -> None:
    """22. HTTP, TLS, SSH and IRC spoken to the port."""
    said = b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00" + b"x" * 500, b"SSH-2.0-OpenSSH_9.6\r\n", b"NICK ann\r\n"
    _strangers(target, cycle(said))


def resets(target: Target) -> None:
    """23. Connections that are reset in the middle of everything."""
    chance = random.Random(1)
    said = encode("login", user="reset", rooms={"lobby": 0}) + encode("history", room="lobby", limit=500, ref=1)
    while True:
        with suppress(OSError), _open(target.plain) as attacker:
            attacker.sendall(said[: chance.randrange(len(said) + 1)])
            attacker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def log_lines(target: Target) -> None:
    """24. Newlines and escapes in what is logged."""
    _strangers(target, cycle([_login("a\n2026-01-01 all is well"), _login("\x1b[2J{log_source}"), _login("%s\u202e")]))


def crowds(target: Target) -> None:
    """25. More connections than there are places, again and again."""
    while True:
        crowd: list[socket.socket] = []
        with suppress(OSError):
            while len(crowd) < 3 * MANY:
                crowd.append(_open(target.plain))
        for attacker in crowd:
            attacker.close()


def rooms_made(target: Target) -> None:
    """26. Rooms that are made and left at once."""
    names = (f"made{number}" for number in count())
    _say(_logged_in(target, "maker"), (encode("join", room=name) + encode("leave", room=name) for name in names))


def new_passwords(target: Target) -> None:
    """27. Passwords changed again and again, by sixteen."""
    attackers = [_logged_in(target, f"changing{number}") for number in range(16)]
    for attacker in attackers:
        attacker.sendall(encode("register", password="x", ref=0))
    for attacker, ref in zip(cycle(attackers), count(1), strict=False):
        _say(attacker, [encode("register", password="x", old="x", ref=ref)])


def rulings(target: Target) -> None:
    """28. A room made private and open again, without an end, and messages that are deleted at once."""

    def orders() -> Iterator[bytes]:
        yield encode("register", password="x", ref=0)
        yield encode("join", room="ruled")  # who makes a room by an account may rule there
        for seq in count(1):
            yield encode("run", line=("public", "private")[seq % 2], room="ruled", ref=2 * seq)
            yield encode("send", b"x", room="ruled", seq=seq) + encode("delete", room="ruled", id=seq, ref=2 * seq + 1)

    _say(_logged_in(target, "ruler"), orders())


ATTACKS: Final[list[Attack]] = [
    say_nothing, stall_in_tls, dribble, bad_lengths, one_byte_short, tiny_frames, before_login, logins, stuck_readers,
    slow_readers, stuck_over_tls, flood, large_texts, one_at_a_time, one_after_another, passwords, names, strange_texts,
    piles, not_text, searches, file_names, handshakes, what_others_said, hoards, bombs, other_protocols, resets,
    log_lines, crowds, rooms_made, new_passwords, rulings,
]  # fmt: skip
