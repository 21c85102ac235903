"""What the load itself can take: deliveries a second from a source that does nothing but write to the sockets.

The source is a process of its own that writes the same piece of a stream, as long as the server's own are, to one
connection after the other.
"""

from __future__ import annotations

import multiprocessing
import signal
import socket
from contextlib import suppress

from bench import runs
from bench.body import body
from bench.fanout import BYTES
from bench.load import Broken, Crowd, Receiver, connect
from server.log import SEGMENT
from wire.frames import Message, encode


def main() -> None:
    """Measure what the flags say."""
    flags = runs.flags(__doc__, [])
    flags.add_argument("--receivers", type=int, default=1000, help="connections that listen [1000]")
    flags.add_argument("--size", type=int, default=100, help="bytes of a message [100]")
    given = flags.parse_args()
    for number in range(given.rounds):
        figures = measure(given.receivers, given.size, 2 * BYTES // given.size)
        parameters = {"receivers": given.receivers, "size": given.size}
        runs.keep(given.results, work="ceiling", server="source", round=number, given=parameters, figures=figures)


def measure(receivers: int, size: int, deliveries: int) -> runs.Figures:
    """Read all that a source writes, about so many messages."""
    message = encode(Message("lobby", 10**6, "n000001", 1_764_000_000_000), body(1, 1, size))
    piece = message * (SEGMENT // len(message))
    pieces = max(1, deliveries // receivers * len(message) // len(piece))
    each = pieces * len(piece) // len(message)
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        source = multiprocessing.get_context("fork").Process(target=write, args=(listener, receivers, piece, pieces))
        source.start()
        with Crowd() as crowd:
            listening = [Receiver(connect(listener.getsockname())) for _ in range(receivers)]
            for receiver in listening:
                crowd.add(receiver)
            crowd.until(lambda: crowd.arrived > 0)
            arrived = crowd.arrived
            seconds = crowd.until(lambda: crowd.arrived >= each * receivers)
        source.terminate()
        source.join()
    if any(receiver.received != each for receiver in listening):
        raise Broken("not every mark was counted once")
    return {"rate": (each * receivers - arrived) / seconds}


def write(listener: socket.socket, receivers: int, piece: bytes, pieces: int) -> None:
    """Accept so many, then write ``piece`` so often to each of them, in turns, and wait to be ended."""
    data = memoryview(piece * pieces)
    accepted = [listener.accept()[0] for _ in range(receivers)]
    for sock in accepted:
        sock.setblocking(False)
    left = dict.fromkeys(accepted, data)
    while left:
        for sock, rest in list(left.items()):
            with suppress(BlockingIOError):
                left[sock] = rest[sock.send(rest[: len(piece)]) :]
            if not left[sock]:
                del left[sock]
    signal.pause()


if __name__ == "__main__":
    main()
