"""Work (g): the saturated fan-out, with so many more who never read. Deliveries a second to who does read."""

from __future__ import annotations

from bench import runs
from bench.fanout import measure, messages_for
from bench.peers import ALL, Served

SIZE = 100  # bytes of a message


def main() -> None:
    """Measure what the flags say."""
    flags = runs.flags(__doc__)
    flags.add_argument("--receivers", type=int, default=900, help="connections that read [900]")
    flags.add_argument("--stuck", type=int, default=100, help="and that do not, in every second run [100]")
    given = flags.parse_args()
    messages = messages_for(given.receivers, SIZE)

    def measured(server: Served) -> runs.Measured:
        cases = [{"receivers": given.receivers, "stuck": stuck} for stuck in (0, given.stuck)]
        yield [(case, next(measure(server, size=SIZE, messages=messages, **case))) for case in cases]

    runs.interleaved("stuck", given, [server for server in ALL if given.receivers <= server.most], measured)


if __name__ == "__main__":
    main()
