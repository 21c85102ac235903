"""What the commands do when the server is not there, at a clock that the test turns."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from cli.client import QUIT, Client
from cli.errand import PATIENCE, Bar, Errand, run
from cli.interrupt import INTERRUPTED
from cli.status import Listener
from tests.cli.ends import End, Network
from wire.frames import Ack, Bye, Error, Notice


class Errands(SynchronousTestCase):
    def setUp(self) -> None:
        self.network = Network()
        self.clock = self.network.clock
        self.errand = Errand(self.clock, again="; again")
        self.said = self.enterContext(redirect_stderr(StringIO()))

    def start(self, work: Callable[[Client], Any]) -> Deferred[int]:
        def connect(listener: Listener) -> Deferred[Client]:
            return self.network.client(listener=listener)[1]

        return Deferred.fromCoroutine(run(self.clock, connect, "here:1", self.errand, work))

    async def send(self, client: Client) -> bool:
        await self.errand.wait(client.send_msg("x"))
        return True

    def accept(self, **login: Any) -> End:
        end = self.network.accept()
        end.welcome(**login)
        return end

    def refuse_for(self, seconds: float) -> None:
        began = self.clock.seconds()
        while self.clock.seconds() < began + seconds:
            if self.network.trying:
                self.network.refuse()
            self.clock.advance(0.5)

    def assert_ended(self, ended: Deferred[int], status: int, said: str) -> None:
        self.clock.advance(0)  # the connection is closed
        self.assertEqual((self.successResultOf(ended), self.said.getvalue()), (status, said))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_all_is_well(self) -> None:
        ended = self.start(self.send)
        end = self.accept()
        end.say(Ack(seq=1, room="lobby", id=1))
        end.say(Bye(reason="quit"))
        self.assert_ended(ended, 0, "")

    def test_no_server(self) -> None:
        ended = self.start(self.send)
        self.refuse_for(11)
        self.assert_ended(ended, 1, "chat: cannot reach here:1: Connection refused\n")

    def test_not_let_in(self) -> None:
        ended = self.start(self.send)
        self.network.accept().say(Error(code="name_taken", text="no\x1b", fatal=True))
        self.clock.advance(0)
        self.assert_ended(ended, 1, "chat: no\u241b\n")

    def test_server_that_comes_back(self) -> None:
        ended = self.start(self.send)
        self.accept().cut(ConnectionError("it broke"))
        while not self.network.trying:
            self.clock.advance(0.5)
        end = self.accept()
        self.clock.advance(PATIENCE + 1)
        self.assertNoResult(ended)
        end.say(Ack(seq=1, room="lobby", id=1), Bye(reason="quit"))
        self.assert_ended(ended, 0, "chat: the connection is lost, trying again: it broke\n")

    def test_server_that_does_not_come_back(self) -> None:
        ended = self.start(self.send)
        self.accept().cut()
        self.refuse_for(PATIENCE + 1)
        self.assertEqual(self.successResultOf(ended), 1)
        self.assertEqual(
            self.said.getvalue().splitlines()[1:],
            [f"chat: no connection for {PATIENCE} seconds: Connection refused; again"],
        )

    def test_one_that_stays(self) -> None:
        self.errand = Errand(self.clock, stays=True)
        ended = self.start(self.send)
        self.accept().cut()
        self.refuse_for(10 * PATIENCE)
        self.assertNoResult(ended)
        ended.cancel()
        self.assertEqual(self.successResultOf(ended), INTERRUPTED)

    def test_closed_by_the_server(self) -> None:
        ended = self.start(self.send)
        self.accept().say(Bye(reason="kicked"))
        self.clock.advance(0)
        self.assert_ended(ended, 1, "chat: kicked out by an operator\n")

    def test_notices_are_passed_on(self) -> None:
        ended = self.start(self.send)
        self.accept().say(Notice(code="storage_down", text="wait\n"))
        ended.cancel()
        self.clock.advance(QUIT)
        self.assert_ended(ended, INTERRUPTED, "chat: wait\u240a\n")

    def test_waiting_is_cancelled_but_not_what_is_waited_for(self) -> None:
        cancelled: list[object] = []
        sent: Deferred[int] = Deferred(cancelled.append)
        waiting = Deferred.fromCoroutine(self.errand.wait(sent))
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(cancelled, [])
        sent.callback(1)
        self.errand.end(RuntimeError("too late"))

    def test_settled(self) -> None:
        async def work(client: Client) -> bool:
            client.send_msg("x").addErrback(lambda _: None)
            await self.errand.until(client, lambda status: not status.unsent)
            return True

        ended = self.start(work)
        end = self.accept()
        self.assertNoResult(ended)
        end.say(Ack(seq=1, room="lobby", id=1), Bye(reason="quit"))
        self.assert_ended(ended, 0, "")

    def test_no_bar_without_a_terminal(self) -> None:
        bar = Bar("x")
        bar(5, None)
        bar(7, 10)
        bar.close()
        self.assertEqual((bar.done, self.said.getvalue()), (7, ""))
