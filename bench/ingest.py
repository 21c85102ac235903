"""Work (c): a hundred talk as fast as they are let, one listens. Messages a second, stored and acknowledged.

Each who talks is in a room of its own, and who listens is in all of them: a message goes to two, so that it is the
storing that is measured. Each has a secret, so the server keeps its numbers too.
"""

from __future__ import annotations

from typing import Final

from bench import runs
from bench.body import body
from bench.load import Broken, Crowd, Receiver, Sender, buffer, names
from bench.peers import ChatOnMariaDB, ConsoleChat, Served
from wire.frames import Login, encode

SENDERS: Final = 100
SIZE: Final = 100  # bytes of a message
ACK: Final = b'"type":"ack"'


class Acknowledged(Sender):
    """A sender that counts what is acknowledged."""

    acknowledged = 0
    _end = b""

    def take(self, size: int) -> int:  # noqa: D102
        came = self._end + buffer[:size]
        self.acknowledged += came.count(ACK)
        self._end = came[1 - len(ACK) :]
        return 0


def measure(server: Served, messages: int) -> runs.Measured:
    """Have so many messages stored, and yield the figures."""
    rooms = [f"room{number:03d}" for number in range(SENDERS)]
    with Crowd() as crowd:
        everywhere = encode(Login("listener", client="listener", rooms=dict.fromkeys(rooms), history=0))
        [listening] = crowd.enter(server.address, [[(everywhere, b'"welcome"')]], 1)
        reader = Receiver(listening)
        speaking = [server.speaking(name, room) for name, room in zip(names(SENDERS), rooms, strict=True)]
        senders = [Acknowledged(it) for it in crowd.enter(server.address, speaking, server.at_once)]
        each = messages // SENDERS
        for index, (sender, room) in enumerate(zip(senders, rooms, strict=True)):
            said = (server.saying(number, body(index, number, SIZE), room) for number in range(1, each + 1))
            sender.say(b"".join(said))
            crowd.add(sender)
        crowd.add(reader)
        cpu = server.cpu()
        for sender in senders:
            crowd.speaks(sender)
        total = each * SENDERS
        seconds = crowd.until(
            lambda: reader.received >= total and sum(sender.acknowledged for sender in senders) >= total
        )
        cpu = server.cpu() - cpu
    if reader.received != total or any(sender.acknowledged != each for sender in senders):
        raise Broken("there are more messages, or more acknowledged, than were said")
    yield [({"messages": messages}, {"rate": total / seconds, "cpu": cpu / total})]


def main() -> None:
    """Measure what the flags say."""
    servers = (ConsoleChat, ChatOnMariaDB)
    flags = runs.flags(__doc__, servers)
    flags.add_argument("--messages", type=int, default=200_000, help="how many are said [200000]")
    given = flags.parse_args()
    runs.interleaved("ingest", given, servers, lambda server: measure(server, given.messages))


if __name__ == "__main__":
    main()
