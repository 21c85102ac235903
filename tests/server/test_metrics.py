"""What an operator measures: a real server asked over HTTP, and the figures one by one."""

from __future__ import annotations

import re
import time
from contextlib import closing
from http.client import HTTPResponse
from pathlib import Path
from unittest import TestCase
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as from_openmetrics
from prometheus_client.parser import text_string_to_metric_families as from_text

from server.http import READY_WITHIN
from server.journal import ENTRY, FULL, PAUSES
from server.metrics import Commits, Standing
from tests.mariadb import MariaDB
from tests.processes import ROOT, ServerProcess, stopped
from tests.server.fakes import House, Peer
from wire import frames
from wire.frames import MAX_BODY

OPERATING = ROOT / "docs" / "operating.md"
MEASURED = ("--metrics-port", "0")
_METRICS_ON = re.compile(r"metrics on (http://127\.0\.0\.1:\d+)/metrics")


def url(server: ServerProcess, page: str) -> str:
    """Return the address of a page, from the line that stands in the log before the server tells that it listens."""
    [base] = _METRICS_ON.findall("\n".join(server.log))
    return f"{base}/{page}"


def ask(server: ServerProcess, page: str, **headers: str) -> tuple[int, str]:
    """Return the status and the text of a page."""
    try:
        answer: HTTPResponse = urlopen(Request(url(server, page), headers=headers), timeout=20)
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()
    with answer:
        return answer.status, answer.read().decode()


def scrape(server: ServerProcess) -> dict[str, Metric]:
    """Return all metrics by their names."""
    status, text = ask(server, "metrics")
    assert status == 200, text
    return {metric.name: metric for metric in from_text(text)}


def value(metrics: dict[str, Metric], sample: str, **labels: str) -> float:
    """Return the one value of ``sample`` with these labels."""
    [found] = [
        it.value for metric in metrics.values() for it in metric.samples if (it.name, it.labels) == (sample, labels)
    ]
    return found


class Scraped(TestCase):
    """What a server that serves tells."""

    def test_what_was_said_is_counted(self) -> None:
        with ServerProcess(*MEASURED) as server:
            with closing(server.connect()) as ann, closing(server.connect()) as bob, closing(server.connect()) as cid:
                ann.login("ann", rooms={"lobby": 0, "dev": 0})
                bob.login("bob", rooms={"lobby": 0})
                cid.say("ping", ref=1)  # not logged in
                cid.read("pong", ref=1)
                for text in ("€", "one", ""):
                    ann.store(text)
                ann.say("part", b"x" * 1000, upload=1, offset=0)
                ann.say("send", seq=4, upload=1, size=1000, name="x.bin")
                ann.read("ack", seq=4)
                bob.say("leave", room="nowhere")
                bob.read("error", code="unknown_room")
                ann.read_messages("lobby", 4)
                bob.read_messages("lobby", 4)
                metrics = scrape(server)
            for expected, sample, labels in (
                (2, "chat_connections", {"state": "logged_in"}),
                (1, "chat_connections", {"state": "not_logged_in"}),
                (2, "chat_users", {}),
                (2, "chat_rooms", {}),
                (2, "chat_logins_total", {}),
                (3, "chat_messages_total", {"content": "text"}),
                (6, "chat_message_bytes_total", {"content": "text"}),
                (1, "chat_messages_total", {"content": "upload"}),
                (1000, "chat_message_bytes_total", {"content": "upload"}),
                (1000, "chat_upload_bytes_total", {}),
                (8, "chat_deliveries_total", {}),
                (1, "chat_errors_total", {"code": "unknown_room"}),
                (3, "chat_readers_behind", {"at_least": "0"}),
                (0, "chat_readers_behind", {"at_least": "1"}),
                (0, "chat_commit_failures_total", {}),
                (3, "chat_message_stored_seconds_count", {}),
                (1, "chat_database_up", {}),
                (0, "chat_log_lines_total", {"level": "critical"}),
            ):
                with self.subTest(sample, **labels):
                    self.assertEqual(value(metrics, sample, **labels), expected)
            commits = value(metrics, "chat_commit_seconds_count")
            self.assertGreaterEqual(commits, 6)  # the logins, and what was waited for one by one
            self.assertEqual(value(metrics, "chat_commit_entries_count"), commits)
            self.assertGreaterEqual(value(metrics, "chat_commit_entries_sum"), 2 + 2 + 5)
            self.assertGreater(value(metrics, "chat_commit_seconds_sum"), 0)
            self.assertGreater(value(metrics, "chat_tail_bytes"), 0)
            self.assertGreater(value(metrics, "process_resident_memory_bytes"), 1 << 20)
            self.assertLess(value(metrics, "chat_message_stored_seconds_sum"), 30)

    def test_who_is_behind_and_what_it_is_given_at_last(self) -> None:
        count = 300
        with ServerProcess(*MEASURED) as server, closing(server.connect()) as ann:
            with closing(server.connect(receive_buffer=4096)) as bob:
                ann.login("ann", rooms={"lobby": 0})
                bob.login("bob", rooms={"lobby": 0})
                for _ in range(count):
                    ann.send("x" * 10_000)
                ann.read_messages("lobby", count, timeout=30)
                metrics = scrape(server)
                self.assertGreater(value(metrics, "chat_furthest_behind"), 100)
                self.assertEqual(value(metrics, "chat_readers_behind", at_least="100"), 1)
                self.assertEqual(value(metrics, "chat_readers_behind", at_least="0"), 2)
                self.assertLess(value(metrics, "chat_deliveries_total"), 2 * count - 100)
                bob.read_messages("lobby", count, timeout=30)
                metrics = scrape(server)
                self.assertEqual(value(metrics, "chat_furthest_behind"), 0)
                self.assertEqual(value(metrics, "chat_deliveries_total"), 2 * count)
            ann.say("quit")
            ann.frames()
            with closing(server.connect()) as cid:
                cid.login("cid", history=5)
                cid.read_messages("lobby", count)
                self.assertEqual(value(scrape(server), "chat_deliveries_total"), 2 * count + 5)

    def test_nothing_is_told_of_who_or_what(self) -> None:
        with ServerProcess(*MEASURED) as server, closing(server.connect()) as ann:
            ann.login("anna-secret", key="a-secret", client="a-secret", rooms={"room-secret": 0})
            ann.store("a-secret", "room-secret")
            self.assertNotIn("secret", ask(server, "metrics")[1])

    def test_a_scrape_is_no_line_in_the_log(self) -> None:
        with ServerProcess(*MEASURED) as server:
            for page in ("metrics", "health", "ready", "nothing"):
                ask(server, page)
            self.assertEqual(server.terminate(), 0)
            self.assertNotIn("GET", "\n".join(server.log))

    def test_each_has_a_help_and_stands_in_the_docs(self) -> None:
        told = OPERATING.read_text()
        with ServerProcess(*MEASURED) as server:
            for name, metric in scrape(server).items():
                with self.subTest(name):
                    self.assertTrue(metric.documentation)
                    if name.startswith("chat_"):
                        suffix = "_total" if metric.type == "counter" else ""
                        self.assertIn(f"| `{name}{suffix}` |", told)
                        self.assertIn(f"| {metric.documentation}", told)

    def test_openmetrics_for_who_asks_for_it(self) -> None:
        with ServerProcess(*MEASURED) as server:
            status, text = ask(server, "metrics", accept="application/openmetrics-text; version=1.0.0")
            self.assertEqual(status, 200)
            self.assertIn("chat_messages", {metric.name for metric in from_openmetrics(text)})


class Listening(TestCase):
    def test_nowhere_unless_told(self) -> None:
        with ServerProcess() as server:
            self.assertNotIn("metrics", "\n".join(server.log))
            self.assertEqual(len(listening(server.pid)), 1)

    def test_on_this_machine_unless_told(self) -> None:
        with ServerProcess(*MEASURED) as server:
            self.assertEqual({address for address, _ in listening(server.pid)}, {"0100007F"})
        with ServerProcess(*MEASURED, "--metrics-interface", "0.0.0.0") as server:
            self.assertEqual({address for address, _ in listening(server.pid)}, {"0100007F", "00000000"})
        with ServerProcess(*MEASURED, "--metrics-interface", "::1") as server:
            self.assertIn("metrics on http://[::1]:", "\n".join(server.log))


def listening(pid: int) -> list[tuple[str, ...]]:
    """Return address and port, in hexadecimal, of each IPv4 socket on which a process listens."""
    links = (link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir())
    ours = {str(link)[8:-1] for link in links if str(link).startswith("socket:[")}
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return [tuple(row[1].split(":")) for row in rows if row[3] == "0A" and row[9] in ours]


class Readiness(TestCase):
    """Whether it is alive, and whether the database answers: a real MariaDB."""

    def setUp(self) -> None:
        self.database = MariaDB.shared()
        self.db = self.database.url(self.database.create()).render_as_string(hide_password=False)

    def test_while_the_database_is_there_stuck_and_dead(self) -> None:
        with ServerProcess(*MEASURED, db=self.db) as server:
            self.assertEqual(ask(server, "ready"), (200, "ready\n"))
            with stopped(self.database.pid):
                self.assert_not_ready(server)
            self.wait_until_ready(server)
            self.database.kill()
            try:
                self.assert_not_ready(server)
            finally:
                self.database.start()
            self.wait_until_ready(server)
            self.assertNotIn("Traceback", "\n".join(server.log))

    def assert_not_ready(self, server: ServerProcess) -> None:
        began = time.monotonic()
        self.assertEqual(ask(server, "ready"), (503, "the database does not answer\n"))
        self.assertLess(time.monotonic() - began, READY_WITHIN + 5)
        self.assertEqual(ask(server, "health"), (200, "alive\n"))
        self.assertEqual(ask(server, "metrics")[0], 200)

    def wait_until_ready(self, server: ServerProcess) -> None:
        until = time.monotonic() + 30
        while ask(server, "ready")[0] != 200:
            self.assertLess(time.monotonic(), until, "not ready again")


class Figures(TestCase):
    """Figures that need a fault, or a moment, that only a test can bring about."""

    def setUp(self) -> None:
        self.house = House()
        self.registry = CollectorRegistry()
        self.registry.register(Standing(self.house.server))
        self.house.server.journal.commit = Commits(self.house.server.journal.commit, self.registry)
        self.ann = self.house.peer("ann")

    def value(self, sample: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(sample, labels)

    def test_how_full_the_journal_is(self) -> None:
        self.ann.says(frames.Send(1), b"x" * 1000)
        self.assertEqual(self.value("chat_waiting_bytes", queue="journal"), 1000 + ENTRY)
        self.house.settle()
        self.assertEqual(self.value("chat_waiting_bytes", queue="journal"), 0)
        self.assertEqual(self.value("chat_waiting_limit_bytes", queue="journal"), FULL)

    def test_all_of_a_batch_are_counted(self) -> None:
        for seq in (1, 2, 3):
            self.ann.says(frames.Send(seq), b"four")
        self.house.settle()
        self.assertEqual(self.value("chat_messages_total", content="text"), 3)
        self.assertEqual(self.value("chat_message_bytes_total", content="text"), 12)
        self.assertEqual(self.value("chat_message_stored_seconds_count"), 1)  # of the one that waited longest

    def test_who_is_held_while_it_is_full(self) -> None:
        for seq in range(2, FULL // MAX_BODY + 3):
            self.ann.says(frames.Send(seq - 1), b"x" * MAX_BODY)
        self.assertEqual(self.value("chat_held_connections", queue="journal"), 1)
        self.house.settle()
        self.assertEqual(self.value("chat_held_connections", queue="journal"), 0)

    def test_what_waits_of_uploads(self) -> None:
        self.ann.says(frames.Part(1, 0), b"x" * 1000)
        while not self.value("chat_waiting_bytes", queue="uploads"):  # whether there is one is read first
            self.assertTrue(self.house.steps.step())
        self.assertGreaterEqual(self.value("chat_waiting_bytes", queue="uploads") or 0, 1000)
        self.house.settle()
        self.assertEqual(self.value("chat_waiting_bytes", queue="uploads"), 0)
        self.assertEqual(self.value("chat_upload_bytes_total"), 1000)

    def test_a_database_that_is_away(self) -> None:
        self.house.storage.faults.extend(["before", "before"])
        self.ann.says(frames.Send(1), b"x")
        self.house.settle()
        self.assertEqual(self.value("chat_database_up"), 1)  # what passes at once is nobody's business
        self.house.clock.advance(PAUSES[0])
        self.house.settle()
        self.assertEqual(self.value("chat_database_up"), 0)
        self.assertEqual(self.value("chat_commit_failures_total"), 2)
        self.house.clock.advance(PAUSES[1])
        self.house.settle()
        self.assertEqual(self.value("chat_database_up"), 1)
        self.assertEqual(self.value("chat_messages_total", content="text"), 1)

    def test_a_commit_whose_answer_was_lost_counts_once(self) -> None:
        self.house.storage.faults.append("lost")
        self.ann.says(frames.Send(1), b"x")
        self.house.settle()
        self.house.clock.advance(PAUSES[0])
        self.house.settle()
        self.assertEqual(self.value("chat_messages_total", content="text"), 1)
        self.assertEqual(self.value("chat_message_stored_seconds_count"), 1)

    def test_what_is_left_out_is_no_message(self) -> None:
        old = self.house.peer("bob", client="c")
        new = Peer(self.house.server)
        new.says(frames.Login("bob", client="c"))
        self.house.clock.advance(0)  # it is being stored
        old.says(frames.Send(1), b"x")  # from now on of an older epoch
        self.house.settle()
        self.assertEqual(self.value("chat_messages_total", content="text"), 0)
        self.assertEqual(self.value("chat_logins_total"), 3)
