"""What is measured, for Prometheus: what the journal commits, how the server stands, what is logged.

Nothing here is called for a delivery. What is stored is counted once a batch; how all stands is read off the server
when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter, time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import implementer

from server import __version__, refusals
from server.budget import Budget
from server.connection import Connection
from server.room import Cursor
from server.server import Server
from storage.interface import Batch, Entry, Login, Message, Outcome, Piece, Send, Taken

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # a sync to a long outage
ENTRIES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)  # 2 MiB are 10,000 of the smallest
BEHIND: Final = (0, 1, 10, 100, 1000, 10_000)  # messages


def of(server: Server) -> CollectorRegistry:
    """Measure ``server``, which has not begun, and the log; what is returned is asked in the reactor's thread."""
    # When each began to count is asked by nobody, and would double the page.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    server.journal.commit = Commits(server.journal.commit, registry)
    registry.register(Standing(server))
    globalLogPublisher.addObserver(LogLines(registry))
    return registry


class Commits:
    """Commits a batch by ``commit`` and counts what is in it; called in the storage thread."""

    def __init__(self, commit: Callable[[Batch], list[Outcome]], registry: CollectorRegistry) -> None:
        self._commit = commit
        self._seconds = Histogram(
            "chat_commit_seconds", "How long one commit of a batch took.", buckets=SECONDS, registry=registry
        )
        self._entries = Histogram(
            "chat_commit_entries", "What one batch stored together: messages, logins and all else.", buckets=ENTRIES,
            registry=registry,
        )  # fmt: skip
        self._waited = Histogram(
            "chat_message_stored_seconds",
            "From the arrival of a message until it was stored: of each batch the one that waited longest.",
            buckets=SECONDS,
            registry=registry,
        )
        self._failures = Counter("chat_commit_failures", "Attempts to commit that failed.", registry=registry)
        self._logins = Counter("chat_logins", "Logins.", registry=registry)
        messages = Counter(
            "chat_messages",
            "Messages stored: texts that came in one piece, and contents that were uploaded before.",
            ["content"],
            registry=registry,
        )
        sizes = Counter("chat_message_bytes", "Bytes of the messages stored.", ["content"], registry=registry)
        self._texts = messages.labels("text"), sizes.labels("text")
        self._contents = messages.labels("upload"), sizes.labels("upload")
        self._uploaded = Counter("chat_upload_bytes", "Bytes of uploads stored, finished or not.", registry=registry)

    def __call__(self, batch: Batch) -> list[Outcome]:
        """Commit ``batch`` and count it."""
        began = perf_counter()
        try:
            outcomes = self._commit(batch)
        except Exception:
            self._failures.inc()
            raise
        self._seconds.observe(perf_counter() - began)
        self._entries.observe(sum(len(it.texts) if type(it) is Send else 1 for it in batch.entries))
        self._count(batch.entries, outcomes)
        return outcomes

    def _count(self, entries: Sequence[Entry], outcomes: Sequence[Outcome]) -> None:
        texts: list[str] = []
        said_at = now = time() * 1000
        for entry, outcome in zip(entries, outcomes, strict=True):
            if type(entry) is Send and type(outcome) is Taken:
                texts += entry.texts[outcome.left_out :]
                said_at = min(said_at, entry.at)
            elif type(outcome) is Message:
                _add(self._contents, 1, outcome.size or len(outcome.text.encode()))
            elif type(entry) is Login:
                self._logins.inc()
            elif type(entry) is Piece and outcome is True:
                self._uploaded.inc(len(entry.data))
        if texts:
            self._waited.observe((now - said_at) / 1000)
            _add(self._texts, len(texts), len("".join(texts).encode()))


def _add(counted: tuple[Counter, Counter], messages: int, size: int) -> None:
    counted[0].inc(messages)
    counted[1].inc(size)


class Standing(Collector):
    """How ``server`` stands, when it is asked; to be asked in the reactor's thread."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def collect(self) -> Iterator[Metric]:
        """Yield everything that is known without counting."""
        connections = self._server.get_all()
        cursors = [cursor for connection in connections for cursor in connection.cursors.values()]
        yield InfoMetricFamily("chat", "The server's version.", {"version": __version__})
        yield from _people(connections)
        yield from _readers(cursors)
        deliveries = self._server.deliveries
        yield CounterMetricFamily("chat_deliveries", "Messages given to clients, history included.", deliveries)
        yield _errors()
        yield from _waiting({"journal": self._server.journal.budget, "uploads": self._server.uploads.budget})
        yield _gauge(
            "chat_database_up", "0 while what has to be stored waits for the database.", not self._server.journal.down
        )


def _errors() -> Metric:
    errors = CounterMetricFamily("chat_errors", "Errors told to clients.", labels=["code"])
    for code, count in refusals.told.items():
        errors.add_metric([code], count)
    return errors


def _people(connections: Sequence[Connection]) -> Iterator[Metric]:
    users = Counts(connection.user for connection in connections if connection.logged_in)
    logged_in = users.total()
    states = {"logged_in": logged_in, "not_logged_in": len(connections) - logged_in}
    yield _gauges("chat_connections", "Connections now.", "state", states)
    yield _gauge("chat_users", "People logged in, each counted once.", len(users))


def _readers(cursors: Sequence[Cursor]) -> Iterator[Metric]:
    rooms = {cursor.room for cursor in cursors}
    yield _gauge("chat_rooms", "Rooms that somebody is in.", len({room.key for room in rooms}))
    yield _gauge("chat_tail_bytes", "Bytes of their messages in memory.", sum(room.tail.size for room in rooms))
    behind = sorted(cursor.room.last_id - cursor.id for cursor in cursors)
    yield _gauges(
        "chat_readers_behind",
        "Readers, one for each room of each connection, that have yet to be given at least so many messages.",
        "at_least",
        {str(least): len(behind) - bisect_left(behind, least) for least in BEHIND},
    )
    yield _gauge(
        "chat_furthest_behind", "Messages that the furthest reader has yet to be given.", max(behind, default=0)
    )


def _waiting(budgets: Mapping[str, Budget]) -> Iterator[Metric]:
    taken = {queue: budget.taken for queue, budget in budgets.items()}
    limits = {queue: budget.limit for queue, budget in budgets.items()}
    held = {queue: budget.held for queue, budget in budgets.items()}
    yield _gauges("chat_waiting_bytes", "Bytes that wait for the next batch.", "queue", taken)
    yield _gauges("chat_waiting_limit_bytes", "Bytes from which on who feeds it is read no more.", "queue", limits)
    yield _gauges("chat_held_connections", "Connections that are not read until there is room.", "queue", held)


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value)


def _gauges(name: str, what: str, label: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(name, what, labels=[label])
    for which, value in values.items():
        gauge.add_metric([which], value)
    return gauge


@implementer(ILogObserver)
class LogLines:
    """Counts what is logged, by its level: an observer of the log."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lines = Counter("chat_log_lines", "Lines logged.", ["level"], registry=registry)
        for level in LogLevel.iterconstants():
            self._lines.labels(level.name)

    def __call__(self, event: LogEvent) -> None:
        """Count one."""
        self._lines.labels(event.get("log_level", LogLevel.info).name).inc()
