"""Work (h): many rooms of ten people, in each of which one talks as fast as it is let. Messages a second over all."""

from __future__ import annotations

from itertools import chain, count, repeat
from typing import Final

from bench import runs
from bench.body import body
from bench.fanout import deliver
from bench.load import Broken, Crowd, Receiver, Sender, names
from bench.peers import ALL, Naive, Served

PEOPLE: Final = 10  # in a room: who talks, where a server has that in the room, and the others
SIZE: Final = 100  # bytes of a message


def measure(server: Served, rooms: int, messages: int) -> runs.Measured:
    """Have so many messages delivered, again and again, and yield the figures."""
    places = [f"room{number:04d}" for number in range(rooms)]
    with Crowd() as crowd:
        listening = chain.from_iterable(repeat(place, PEOPLE - 1) for place in places)
        people = names(rooms * (PEOPLE - 1))
        entering = [server.entering(name, place) for name, place in zip(people, listening, strict=True)]
        receivers = [Receiver(it) for it in crowd.enter(server.address, entering, server.at_once)]
        speaking = [server.speaking(name, place) for name, place in zip(names(rooms), places, strict=True)]
        senders = [Sender(it) for it in crowd.enter(server.address, speaking, server.at_once)]
        for connection in [*receivers, *senders]:
            crowd.add(connection)
        each = messages // rooms
        for said in count(0, each):
            for sender, place in zip(senders, places, strict=True):
                numbers = range(said + 1, said + each + 1)
                sender.say(b"".join(server.saying(n, body(0, n, SIZE), place) for n in numbers))
            seconds, cpu = deliver(server, crowd, senders, each * len(receivers))
            if any(receiver.received != said + each for receiver in receivers):
                raise Broken("somebody was given more than the rest")
            yield [({"rooms": rooms}, {"rate": each * rooms / seconds, "cpu": cpu / each / rooms})]


def main() -> None:
    """Measure what the flags say."""
    flags = runs.flags(__doc__)
    flags.add_argument("--rooms", type=int, default=1000, help="rooms [1000]")
    flags.add_argument("--messages", type=int, default=200_000, help="how many are said in all of them [200000]")
    given = flags.parse_args()
    able = [server for server in ALL if server is not Naive]  # that has no rooms

    def measured(server: Served) -> runs.Measured:
        return runs.staying(measure(server, given.rooms, given.messages), given.rooms * PEOPLE, given)

    runs.interleaved("rooms", given, able, measured)


if __name__ == "__main__":
    main()
