"""Work (a): a few talk as fast as they are let, many listen. Deliveries a second, and the processor time of each.

Counted is what arrives at those who listen; each of them must get every message, and a few look at each one. Unless
all are too many open files they stay for the other rounds; the memory is the most that the server has had until then.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from itertools import count
from typing import Final

from bench import runs
from bench.body import body
from bench.load import Broken, Crowd, Receiver, Sender, Witness, names
from bench.peers import ALL, Naive, Served

SENDERS: Final = 10
WITNESSES: Final = 2
BYTES: Final = 10**7 * 100  # of bodies: at 100 bytes ten million deliveries, which no socket's buffer holds
MOST: Final = 300_000  # messages
LEAST: Final = 400  # of 10 kB they wait in the memory of whoever has no bound: 4 GB
SLOW: Final = 10  # the naive server is given a tenth: what it is slow at is not what fits into buffers


def messages_for(receivers: int, size: int) -> int:
    """Return how many messages make a run long enough, of each sender as many."""
    wanted = min(MOST, max(LEAST, BYTES // receivers // size))
    return wanted // SENDERS * SENDERS


def measure(server: Served, receivers: int, size: int, messages: int, stuck: int = 0) -> Iterator[runs.Figures]:
    """Have so many messages delivered again and again, and yield the figures; ``stuck`` more receivers never read."""
    with Crowd() as crowd:
        listening, senders = gather(server, crowd, receivers + stuck, size, range(WITNESSES))
        for receiver in listening[receivers:]:
            crowd.leave_alone(receiver)
        del listening[receivers:]
        each = messages // SENDERS
        for said in count(0, each):
            for index, sender in enumerate(senders):
                numbers = range(said + 1, said + each + 1)
                sender.say(b"".join(server.saying(number, body(index, number, size)) for number in numbers))
            deliveries = messages * receivers
            seconds, cpu = deliver(server, crowd, senders, deliveries)
            check(server, listening, (said + each) * SENDERS)
            yield {
                "deliveries": deliveries,
                "rate": deliveries / seconds,
                "cpu": cpu / deliveries,
                "memory": server.peak_memory(),
            }


def deliver(server: Served, crowd: Crowd, senders: list[Sender], deliveries: int) -> tuple[float, float]:
    """Let the ``senders`` speak until so much more has arrived; return the seconds, and the server's processor time."""
    all_of_it = crowd.arrived + deliveries
    cpu = server.cpu()
    for sender in senders:
        crowd.speaks(sender)
    seconds = crowd.until(lambda: crowd.arrived >= all_of_it)
    return seconds, server.cpu() - cpu


def gather(
    server: Served, crowd: Crowd, receivers: int, size: int, witnesses: Container[int]
) -> tuple[list[Receiver], list[Sender]]:
    """Let everybody in: first who listens, some of them as ``witnesses``, then who speaks."""
    entering = [server.entering(name) for name in names(receivers)]
    sockets = crowd.enter(server.address, entering, server.at_once)
    listening = [Witness(it, size) if n in witnesses else Receiver(it) for n, it in enumerate(sockets)]
    speaking = [server.speaking(name) for name in names(SENDERS)]
    senders = [Sender(it) for it in crowd.enter(server.address, speaking, server.at_once)]
    for connection in [*listening, *senders]:
        crowd.add(connection)
    return listening, senders


def check(server: Served, listening: list[Receiver], messages: int) -> None:
    """Raise :class:`Broken` if somebody did not get all, or not in the order of the others."""
    if wrong := [receiver.received for receiver in listening if receiver.received != messages]:
        raise Broken(f"{len(wrong)} receivers got not {messages} messages but, say, {wrong[0]}")
    orders = {receiver.order for receiver in listening if isinstance(receiver, Witness)}
    if server.one_order and len(orders) > 1:
        raise Broken("two receivers got the messages in different orders")


def main() -> None:
    """Measure what the flags say."""
    flags = runs.flags(__doc__)
    flags.add_argument("--receivers", type=int, default=1000, help="connections that listen [1000]")
    flags.add_argument("--size", type=int, default=100, help="bytes of a message [100]")
    given = flags.parse_args()
    parameters = {"receivers": given.receivers, "size": given.size}
    messages = messages_for(given.receivers, given.size)

    def measured(server: Served) -> runs.Measured:
        share = SLOW if isinstance(server, Naive) else 1
        said = messages // share // SENDERS * SENDERS
        found = measure(server, given.receivers, given.size, said)
        return runs.staying(([(parameters, figures)] for figures in found), given.receivers, given)

    able = [server for server in ALL if given.receivers <= server.most and given.size <= server.largest]
    runs.interleaved("fanout", given, able, measured)


if __name__ == "__main__":
    main()
