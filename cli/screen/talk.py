"""The terminal interface: a conversation with a client on the one side and a terminal on the other."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import time
from traceback import extract_tb
from types import FrameType
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.python.failure import Failure

from cli.client import Client
from cli.config import Config
from cli.refusals import UNTRUSTED, ClientClosed, LoginRefused, SendRefused
from cli.screen.abilities import lacks
from cli.screen.account import Account
from cli.screen.alerts import Alerts
from cli.screen.bare import bare
from cli.screen.choices import Choices
from cli.screen.commands import Commands
from cli.screen.conversation import Conversation
from cli.screen.frames import ECHO
from cli.screen.help import Help
from cli.screen.highlights import Highlights
from cli.screen.ignoring import Ignoring
from cli.screen.keys import Keys
from cli.screen.online import Online
from cli.screen.orders import Orders
from cli.screen.pager import Pager
from cli.screen.pages import Pages
from cli.screen.places import Places
from cli.screen.reading import Reading
from cli.screen.remembered import Remembered
from cli.screen.room import Room, Unsent
from cli.screen.search import Search
from cli.screen.terminal import Terminal, TerminalGone
from cli.screen.transfers import Transfers
from cli.screen.view import View
from cli.screen.window import Window
from cli.screen.writing import Writing
from cli.settings import Settings
from cli.status import Listener
from cli.words import counted
from wire.text import safe_line


def run(
    reactor: Any,
    make: Callable[[Listener], Client],
    rooms: list[str],
    user: str,
    settings: Settings,
    remembered: Remembered | None = None,
    config: Config | None = None,
    *,
    server: str = "",
    show: str | None = None,
) -> Deferred[int]:
    """Talk as ``user`` until the person has enough of it; fires with the exit status.

    ``make`` makes the client, not started, which logs in to ``rooms``; those that are ``remembered`` are joined too.
    The room to ``show`` is one of them, None for the one that was shown last. The terminal of standard input and output
    is taken, and given back before the Deferred fires, also where the reactor stops first. A status other than 0 comes
    with a line on standard error. What is chosen meanwhile is kept in ``config``; raises :class:`BadConfig` where a key
    is bound to nothing that is. ``server`` is what the person calls the server.
    """
    if why := lacks(os.environ.get("TERM", ""), settings.screen):
        print(f"chat: {safe_line(why)}", file=sys.stderr)
        return succeed(1)
    remembered = remembered or Remembered(None, reactor)
    talk = Talk(reactor, make, rooms, user, settings, remembered, config)
    talk.conversation.server = server
    return talk.start(show)


class Talk:
    """What a person has to talk: the conversation, the client, the terminal, and the parts that go between them."""

    def __init__(
        self,
        reactor: Any,
        make: Callable[[Listener], Client],
        rooms: list[str],
        user: str,
        settings: Settings,
        remembered: Remembered,
        config: Config | None = None,
    ) -> None:
        self._reactor = reactor
        self.settings = settings
        self._rooms = rooms  # that the client logs in to
        self._remembered = remembered
        highlights = Highlights([user, *settings.highlight])
        settings.watch("highlight", lambda: highlights.take([user, *settings.highlight]))
        self.conversation = Conversation(user, [*remembered.past.rooms, *rooms], highlights, settings)
        self.commands = Commands()
        self.keys = Keys()
        self._add_keys()
        self.writing = Writing(self, reactor)
        self._window = Window(self.conversation, self.writing, self.keys, settings, lambda: self.pages.fetch())
        self._terminal = Terminal(reactor, self._window, self.failed, settings)
        self.alerts = Alerts(self.conversation, settings, self._terminal, reactor.seconds)
        self._signals: dict[signal.Signals, Any] = {}  # what they did before
        self._quitting = False
        self._ended = False
        self._talk: Deferred[None] | None = None
        self._done: Deferred[int] = Deferred()
        self._online = Online(self, reactor)
        self.client = make(self._online)
        self.pages = Pages(reactor, self.client, self.conversation, self._answered, self.failed)
        self.places = Places(self)
        Ignoring(self)
        self.orders = Orders(self)
        self.account = Account(self)
        self.transfers = Transfers(self)
        Reading(self)
        Search(self)
        Pager(self)
        self.commands.add("quit", lambda _: self.quit(), "end the program", subject="program")
        Help(self)
        Choices(self, config)

    def start(self, show: str | None = None) -> Deferred[int]:
        """Take the terminal and begin, with the room to ``show``; fires with the exit status."""
        self._go_on(show)
        for number, why in ((signal.SIGHUP, "the terminal hung up"), (signal.SIGQUIT, "ended by SIGQUIT")):
            self._signals[number] = signal.signal(number, partial(self._signalled, why))
        self._reactor.addSystemEventTrigger("before", "shutdown", self._end)
        self._terminal.start()
        self._talk = self.begin(self._online.read())
        return self._done

    def _go_on(self, show: str | None) -> None:
        """Go on as last time, in the rooms of last time."""
        self._remembered.restore(self.conversation, self.say)
        if room := self.conversation.find(show or ""):
            self.conversation.show(room)
        logged_in = [self.conversation.room(name) for name in self._rooms]
        for room in self.conversation.rooms:
            if room not in logged_in:
                self.places.rejoin(room)

    # What its parts have done.

    def _add_keys(self) -> None:
        add = self.keys.add
        add("bare", self._show_bare, "show the messages without columns, to copy from", "meta l")
        add("redraw", lambda: self._terminal.redraw(), "draw the screen anew", "ctrl l")

    def begin(self, work: Coroutine[Deferred[Any], Any, None]) -> Deferred[None]:
        """Do ``work`` beside all else; what it raises ends the program."""
        return Deferred.fromCoroutine(work).addErrback(self.failed)

    def watch(self, stored: Deferred[int | None], room: Room, unsent: Unsent) -> None:
        """Show ``unsent`` in ``room`` until it is ``stored``, or why it is not."""

        def arrived(id: int | None) -> None:
            room.sent(unsent, id)
            self.changed()

        def refused(failure: Failure) -> None:
            failure.trap(SendRefused, ClientClosed, CancelledError)
            why = "cancelled" if failure.check(CancelledError) else failure.getErrorMessage()
            room.refused(unsent, why or "not sent")
            self.changed()

        stored.addCallbacks(arrived, refused).addErrback(self.failed)

    def lend(self, command: Sequence[str]) -> Deferred[int]:
        """Run a command that has the terminal for itself; fires with its exit status."""
        return self._terminal.lend(command)

    def _show_bare(self) -> None:
        self._terminal.bare(bare(self._window.view.lines()))

    @property
    def view(self) -> View:
        """The room that is shown, as far as it is on the screen."""
        return self._window.view

    @property
    def text_width(self) -> int:
        """How many columns a text has on the screen."""
        return self._window.text_width

    def changed(self) -> None:
        """There is something new to draw, and maybe to keep."""
        self._terminal.changed()
        self._remembered.changed()

    def _answered(self) -> None:
        """There is what one waits for, as for what a key does."""
        self._terminal.changed(ECHO)

    def say(self, text: str) -> None:
        """Say something of the program's own in the room that is shown."""
        self.conversation.notice(text, time())
        self.changed()

    # The end.

    def quit(self) -> None:
        """Leave once what is typed is stored; the second time, without waiting for that."""
        if self._quitting:
            self._leave()
        else:
            self._quitting = True
            self.client.close().addCallback(lambda _: self._leave()).addErrback(self.failed)

    def _leave(self) -> None:
        if unsent := self._online.unsent:
            self._end(1, f"not sent: {counted(unsent, 'message')}; chat sends what is left at its next start")
        else:
            self._end()

    def _signalled(self, why: str, _signal: int, _frame: FrameType | None) -> None:
        self._reactor.callFromThread(self._end, 1, why)

    def failed(self, failure: Failure) -> None:
        """End the program, and say why."""
        if isinstance(refused := failure.value, LoginRefused):
            self._end(1, self._not_in(refused))
        elif failure.check(TerminalGone):
            self._end(1, f"the terminal is gone: {failure.getErrorMessage()}")
        elif not failure.check(CancelledError):
            place = extract_tb(failure.getTracebackObject())[-1:]
            where = "".join(f" ({Path(frame.filename).name}:{frame.lineno})" for frame in place)
            error = f"{type(failure.value).__name__}: {failure.getErrorMessage()}"
            self._end(1, f"an error in this program: {error}{where}")

    def _not_in(self, refused: LoginRefused) -> str:
        if refused.code == UNTRUSTED:
            return f"{self.conversation.server or 'the server'} is not to be trusted: {refused.text}"
        return f"{self.conversation.user} is not let in: {refused.text}"

    def _end(self, status: int = 0, why: str = "") -> None:
        if self._ended:
            return
        self._ended = True
        self.writing.keep()
        with suppress(OSError, TerminalGone):
            self._terminal.stop()
        for number, before in self._signals.items():
            signal.signal(number, before)
        self._online.stop()
        self._remembered.close()
        if self._talk is not None:
            self._talk.cancel()
        if why:
            with suppress(OSError):  # there may be nobody left to read it
                print(f"chat: {safe_line(why)}", file=sys.stderr)
        self._done.callback(status)
