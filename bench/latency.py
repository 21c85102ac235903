"""Work (b): at so many messages a second, how long until those who listen have each, and what each delivery costs.

A message tells when it was said. One in ten of those who listen, spread evenly, looks at that; the figures are over all
messages at all of these, in milliseconds. They hold the time that the load itself takes to read what has come.
"""

from __future__ import annotations

import time
from typing import Final

from bench import runs
from bench.body import body
from bench.fanout import check, gather
from bench.load import Crowd, Receiver, Sender, Witness
from bench.peers import ALL, Served

SIZE: Final = 100  # bytes of a message
ONE_IN: Final = 10  # listens to the time stamps
WARMING: Final = 0.5  # seconds at each rate that do not count


class Talk:
    """Senders that take turns, at a rate."""

    def __init__(self, server: Served, crowd: Crowd, senders: list[Sender]) -> None:
        self._server = server
        self._crowd = crowd
        self._senders = senders
        self.said = 0

    def go_on(self, rate: float, seconds: float) -> int:
        """Talk at ``rate`` messages a second for ``seconds``, and return how many were said."""
        began = time.monotonic()
        messages = int(rate * seconds)
        for number in range(messages):
            while (wait := began + number / rate - time.monotonic()) > 0:
                self._crowd.turn(wait)
            self._say()
            self._crowd.turn(0)
        return messages

    def _say(self) -> None:
        before, index = divmod(self.said, len(self._senders))
        said = body(index, before + 1, SIZE, time.monotonic_ns())
        self._senders[index].say(self._server.saying(before + 1, said))
        self._crowd.speaks(self._senders[index])
        self.said += 1


def measure(server: Served, receivers: int, rates: list[float], seconds: float) -> runs.Measured:
    """Talk at one rate after the other, again and again, and yield the figures of each."""
    with Crowd() as crowd:
        listening, senders = gather(server, crowd, receivers, SIZE, range(0, receivers, ONE_IN))
        talk = Talk(server, crowd, senders)

        def at(rate: float, seconds: float) -> runs.Figures:
            forget_delays(listening)
            cpu = server.cpu()
            deliveries = talk.go_on(rate, seconds) * receivers
            crowd.until(lambda: crowd.arrived >= talk.said * receivers)
            return percentiles(listening) | {"cpu": (server.cpu() - cpu) / deliveries}

        while True:
            found = []
            for rate in rates:
                at(rate, WARMING)
                found.append(({"receivers": receivers, "rate": rate}, at(rate, seconds)))
            check(server, listening, talk.said)
            yield found


def forget_delays(listening: list[Receiver]) -> None:
    """Let what is measured begin now."""
    for receiver in listening:
        if isinstance(receiver, Witness):
            del receiver.delays[:]


def percentiles(listening: list[Receiver]) -> runs.Figures:
    """Return what the witnesses saw, in milliseconds."""
    delays = sorted(delay for receiver in listening if isinstance(receiver, Witness) for delay in receiver.delays)
    return {f"p{percent:g}": delays[int(len(delays) * percent / 100)] / 1e6 for percent in (50, 99, 99.9)}


def main() -> None:
    """Measure what the flags say."""
    flags = runs.flags(__doc__)
    flags.add_argument("--receivers", type=int, default=1000, help="connections that listen [1000]")
    flags.add_argument(
        "--rates", type=float, nargs="+", default=[20, 100, 1000], help="messages a second [20 100 1000]"
    )
    flags.add_argument("--seconds", type=float, default=5, help="at each rate [5]")
    given = flags.parse_args()
    able = [server for server in ALL if given.receivers <= server.most]

    def measured(server: Served) -> runs.Measured:
        return runs.staying(measure(server, given.receivers, given.rates, given.seconds), given.receivers, given)

    runs.interleaved("latency", given, able, measured)


if __name__ == "__main__":
    main()
