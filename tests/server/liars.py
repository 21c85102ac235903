"""Clients that lie about everything: what they say, each lie by its name, and whether they are told so."""

from __future__ import annotations

from typing import Final

from server.connection import FRAMES
from storage.interface import Register
from storage.talks import Party, Talk
from tests.server.fakes import House, Peer
from wire import frames
from wire.frames import MAX_FRAME, encode
from wire.netstring import netstring

DEN: Final = "den"  # a room of their own: what they say there is stored as anybody's
ELSEWHERE: Final = "elsewhere"  # where nobody is
PASSWORD: Final = "everybody's"  # of those who have accounts
TALK: Final = Talk.of(Party("ann", 0), Party("bob", 0)).name  # of others, as it is kept

LIES: Final[dict[str, bytes]] = {
    "no length": b"-5:xxxxx,",
    "a length without an end": b"9" * 10,
    "no comma": b"5:xxxxxx",
    "no header": netstring(b"\xff" * 40),
    "a header too deep": netstring(b'{"type":"ping","x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
    "no such type": netstring(b'{"type":"welcome","user":"ann"}'),
    "a field of another kind": netstring(b'{"type":"send","seq":"1"}'),
    "a number beyond all": netstring(b'{"type":"fetch","id":1' + b"0" * 400 + b',"ref":1}'),
    "half a frame": encode(frames.Send(1, DEN), b"x" * 1_000)[:500],
    "nearly all of a long frame": b"%d:" % MAX_FRAME + b"x" * (MAX_FRAME - 1),
    "another login": encode(frames.Login("ann", client="client of bob")),
    "a login by a name that is taken": encode(frames.Login("bob", key="no key of his")),
    "a seq that skips": encode(frames.Send(1_000_000, DEN), b"never"),
    "a seq that was": encode(frames.Send(0, "lobby"), b"never"),
    "no text": encode(frames.Send(1, "lobby"), b"\xff\xfe"),
    "a room where it is not": encode(frames.Send(1, ELSEWHERE), b"never"),
    "a room that is none": encode(frames.Send(1, "@ann \x1b"), b"never"),
    "an upload that is none": encode(frames.Send(1, "lobby", upload=9, size=7)),
    "a file that is a path": encode(frames.Send(1, "lobby", upload=9, size=0, name="../x")),
    "a part at another place": encode(frames.Part(1, 77), b"never") + encode(frames.Part(1, 0), b"x") * 2,
    "a part of nothing": encode(frames.Part(2, 0)) + encode(frames.Send(1, "lobby", upload=2, size=1)),
    "an upload that is never sent": encode(frames.Part(3, 0), b"x" * 40_000),
    "what is not there is dropped": encode(frames.Drop(4)) + encode(frames.Resume(4, 4)) * 2,
    "nothing is cancelled": encode(frames.Cancel(1)) + encode(frames.Rooms(1)) + encode(frames.Cancel(1)) * 2,
    "one ref twice": encode(frames.Rooms(2)) + encode(frames.History(500, 2, "lobby")) + encode(frames.Who(2)),
    "more questions than may be": b"".join(encode(frames.Search("x", 9, ref, "lobby")) for ref in range(10, 30)),
    "questions where it is not": b"".join(
        encode(asked)
        for asked in (
            frames.History(9, 5, ELSEWHERE),
            frames.Search("x", 9, 6, ELSEWHERE),
            frames.Who(7, ELSEWHERE),
            frames.Fetch(1, 8, ELSEWHERE),
            frames.Delete(1, 9, "lobby"),
            frames.Leave(ELSEWHERE),
        )
    ),
    "rooms without an end": b"".join(encode(frames.Join(f"hoard{number}")) for number in range(110)),
    "an id that nobody has": encode(frames.Join("lobby", after=10**9)) + encode(frames.Fetch(10**9, 3, "lobby")),
    "an account": encode(frames.Register("x", 4)) + encode(frames.Run("kick ann", 5)),
    "talks of others": b"".join(
        encode(asked)
        for ref, room in enumerate((TALK, f"{TALK} ann", "@ann", "@bob", "@"))
        for asked in (
            frames.Join(room, after=0),
            frames.History(9, 10 * ref, room),
            frames.Search("x", 9, 10 * ref + 1, room),
            frames.Who(10 * ref + 2, room),
            frames.Fetch(1, 10 * ref + 3, room),
            frames.Delete(1, 10 * ref + 4, room),
            frames.Run("delete 1", 10 * ref + 5, room),
            frames.Run("invited", 10 * ref + 6, room),
        )
    ),
    "a talk that nobody wants": encode(frames.Join("@ann"))
    + encode(frames.Join("@bob", after=10**9))
    + b"".join(encode(frames.Send(seq, ("@ann", "@bob", "@liar1", TALK)[seq % 4])) for seq in range(1, 9)),
    "talks that come and go": (encode(frames.Join("@ann")) + encode(frames.Leave("@ann"))) * 20,
    "answers to nothing": encode(frames.Pong(7)) * 5,
    "a flood": encode(frames.Ping()) * (2 * FRAMES + 1),
    "a flood of messages": b"".join(encode(frames.Send(seq, DEN), b"%d" % seq) for seq in range(1, FRAMES + 2)),
    "an end, and more": encode(frames.Quit()) + encode(frames.Send(1, "lobby"), b"never"),
}  # fmt: skip


class Liars:
    """Those who came; at most one of them lies at a time."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._all: list[Peer] = []

    def come(self, room: int, *, logged_in: bool, member: bool = False) -> None:
        """One comes, who takes ``room`` bytes of what it is told; a ``member`` has an account."""
        liar = Peer(self._house.server, room)
        self._all.append(liar)
        name = f"liar{len(self._all)}"
        if member:
            self._house.storage.accounts.register(Register(name, "hash", None, 0))
        if logged_in:
            rooms: dict[str, int | None] = {"lobby": 0, DEN: None}
            liar.says(frames.Login(name, password=PASSWORD, rooms=rooms))

    def lie(self, lie: str, cut: int | None) -> None:
        """The last one lies; ``cut`` ends the connection behind so many bytes of it."""
        if not self._all or self._all[-1].connection.lost:
            self.come(1 << 30, logged_in=True)
        liar = self._all[-1]
        liar.connection.dataReceived(LIES[lie][:cut])
        if cut is not None:
            liar.ends()

    def go(self) -> None:
        """All go."""
        for liar in self._all:
            if not liar.connection.lost:
                liar.ends()

    @property
    def are_gone(self) -> bool:
        """Whether the server has forgotten them all."""
        here = self._house.server.get_all()
        return not any(liar.connection in here for liar in self._all)

    @property
    def overheard(self) -> list[frames.Message]:
        """What any of them was given that is neither in a room for all nor said to it or by it in a talk."""
        return [
            message
            for liar in self._all
            for message in liar.heard(frames.Message)
            if message.room.startswith("@")
            and message.sender not in (message.room.removeprefix("@"), liar.connection.user)
        ]
