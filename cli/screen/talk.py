"""The terminal interface: a conversation with a client on the one side and a terminal on the other."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import time
from traceback import extract_tb
from types import FrameType
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from urwid.display.common import InputClosedError

from cli.client import Client
from cli.refusals import ClientClosed, LoginRefused, SendRefused
from cli.screen.abilities import lacks
from cli.screen.bare import bare
from cli.screen.commands import Commands
from cli.screen.conversation import Conversation
from cli.screen.highlights import Highlights
from cli.screen.input import LONG, Input
from cli.screen.keys import Keys
from cli.screen.paste import MOST, TOO_LONG
from cli.screen.recall import Recall
from cli.screen.room import Room, Unsent
from cli.screen.terminal import Terminal
from cli.screen.transfers import Transfers
from cli.screen.window import Window
from cli.settings import Settings
from cli.status import Listener, Status
from cli.words import amount
from wire.text import safe_line

TICK = 1.0  # seconds between two drawings while a time on the screen counts down


def run(
    reactor: Any, connect: Callable[[Listener], Deferred[Client]], rooms: list[str], user: str, settings: Settings
) -> Deferred[int]:
    """Talk in ``rooms`` as ``user`` until the person has enough of it; fires with the exit status.

    ``connect`` makes the client. The terminal of standard input and output is taken, and given back before the
    Deferred fires, also where the reactor stops first. A status other than 0 comes with a line on standard error.
    """
    if why := lacks(os.environ.get("TERM", ""), settings.screen):
        print(f"chat: {safe_line(why)}", file=sys.stderr)
        return succeed(1)
    gc.freeze()  # what is loaded by now stays: a collection that looks through it is felt as a pause
    return Talk(reactor, connect, rooms, user, settings).start()


class Talk(Listener):
    """What happens between the conversation, the client and the person."""

    def __init__(
        self,
        reactor: Any,
        connect: Callable[[Listener], Deferred[Client]],
        rooms: list[str],
        user: str,
        settings: Settings,
    ) -> None:
        self._reactor = reactor
        self._connect = connect
        self.settings = settings
        self._client: Client | None = None  # None until we are logged in for the first time
        self.conversation = Conversation(user, rooms, Highlights([user, *settings.highlight]))
        self._waiting: list[Callable[[Client], object]] = []  # what is to be done once we are logged in
        self._unsent = 0  # typed, and neither stored nor refused by the server
        self._left: list[tuple[Room, Unsent]] = []  # by an earlier run, and sent by this one
        self._recall = Recall()
        self._input = Input()
        self.commands = Commands()
        self.keys = Keys()
        self._add_keys()
        self.commands.add("help", self._help, "what there is")
        Transfers(self)
        self.commands.add("quit", lambda _: self._quit(), "end the program")
        self._window = Window(self.conversation, self._input, self.keys)
        self._terminal = Terminal(reactor, self._window, self.failed, settings)
        self._ticking: IDelayedCall | None = None
        self._quitting = False
        self._ended = False
        self._talk: Deferred[None] | None = None
        self._done: Deferred[int] = Deferred()

    def start(self) -> Deferred[int]:
        """Take the terminal and begin; fires with the exit status."""
        self._hang_up = signal.signal(signal.SIGHUP, self._hung_up)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._end)
        self._terminal.start()
        self._talk = Deferred.fromCoroutine(self._read()).addErrback(self.failed)
        return self._done

    # What the client tells.

    def status_changed(self, status: Status) -> None:
        """Show it, and let the seconds to the next attempt count down."""
        self.conversation.status = status
        if not status.unsent:
            self._forget_left()
        if self._ticking is None:
            self._tick()
        self.changed()

    def presence(self, room: str, joined: list[str], left: list[str], users: int) -> None:  # noqa: ARG002
        """Show how many are there."""
        self.conversation.room(room).users = users
        self.changed()

    def notice(self, code: str, text: str) -> None:
        """Show it among what was said."""
        self.say(text or code)

    def room_opened(self, room: str, first_id: int, last_id: int) -> None:  # noqa: ARG002
        """Have it, written as the server writes it."""
        self.conversation.room(room).name = room
        self.changed()

    def resent(self, room: str, what: str) -> None:
        """Show it as not sent yet."""
        place = self.conversation.room(room)
        self._left.append((place, place.type(what, time(), self.conversation.user)))
        self.changed()

    def _forget_left(self) -> None:
        for room, unsent in self._left:
            room.forget(unsent)
        self._left.clear()

    def _tick(self) -> None:
        status = self.conversation.status
        counts = status is not None and status.retry_at is not None and not self._ended
        self._ticking = self._reactor.callLater(TICK, self._tick) if counts else None
        self.changed()

    async def _read(self) -> None:
        try:
            self._client = client = await self._connect(self)
            waiting, self._waiting = self._waiting, []
            for act in waiting:
                act(client)
            while True:
                self.conversation.add(await client.read_msg())
                self.changed()
        except ClientClosed as why:
            if not self._quitting:
                self.say(f"the connection is closed: {why}. /quit ends the program")

    def _watch(self, stored: Deferred[int | None], room: Room, unsent: Unsent) -> None:
        def arrived(id: int | None) -> None:
            self._unsent -= 1
            room.sent(unsent, id)
            self.changed()

        def refused(failure: Failure) -> None:
            if failure.trap(SendRefused, ClientClosed, CancelledError) is not ClientClosed:
                self._unsent -= 1
            why = "cancelled" if failure.check(CancelledError) else failure.getErrorMessage()
            room.refused(unsent, why or "not sent")
            self.changed()

        stored.addCallbacks(arrived, refused).addErrback(self.failed)

    # What the person does.

    def _add_keys(self) -> None:
        conversation, input, add = self.conversation, self._input, self.keys.add
        add("send", self._enter, "send what is typed", "enter")
        add("new-line", lambda: input.insert("\n"), "begin a new line", "meta enter")
        add("recall-older", lambda: self._remember(-1), "what was typed before", "up")
        add("recall-newer", lambda: self._remember(1), "what was typed after that", "down")
        add("page-up", lambda: self._window.page("page up"), "look further back", "page up")
        add("page-down", lambda: self._window.page("page down"), "look further on", "page down")
        add("bottom", self._to_end, "go to the newest message", "end")
        add("bare", self._show_bare, "show the messages without columns, to copy from", "meta l")
        add("next-room", lambda: conversation.turn(1), "go to the next room", "ctrl n")
        add("previous-room", lambda: conversation.turn(-1), "go to the room before", "ctrl p")
        add("redraw", lambda: self._terminal.redraw(), "draw the screen anew", "ctrl l")
        add("quit", self._quit, "end the program", "ctrl c")
        add("delete-or-quit", self._delete, "delete a character; end the program where none is typed", "ctrl d")
        add("too-long", self._too_long, "say that a paste is too long", TOO_LONG)

    def _enter(self) -> None:
        text = self._input.text
        if not text.strip():
            self._input.replace("")
            return
        self._recall.enter("" if len(text) > LONG else text)
        self._input.clear()
        name, _, rest = text.removeprefix("/").partition(" ")
        if not text.startswith("/") or name == "me":
            self._type(text)
        elif text.startswith("//"):
            self._type(text[1:])
        elif command := self.commands.get(name):
            command.run(rest)
        else:
            self.say(f"there is no /{name}; /help tells what there is, and // begins a text with a slash")

    def _type(self, text: str) -> None:
        room = self.conversation.current
        unsent = room.type(text, time(), self.conversation.user)
        self.send(room, unsent, lambda client: client.send_msg(text, room.name))

    def send(self, room: Room, unsent: Unsent, begin: Callable[[Client], Deferred[int | None]]) -> None:
        """Show ``unsent`` until what ``begin`` sends is stored, or why it is not; begun once there is a client."""
        self._unsent += 1
        self.when_there(lambda client: self._watch(begin(client), room, unsent))

    def when_there(self, act: Callable[[Client], object]) -> None:
        """Call ``act`` with the client as soon as there is one."""
        if self._client is None:
            self._waiting.append(act)
        else:
            act(self._client)

    def _remember(self, by: int) -> None:
        self._input.replace(self._recall.step(by, self._input.edit_text))

    def _to_end(self) -> None:
        self.conversation.current.follow()
        self._input.set_edit_pos(len(self._input.edit_text))

    def _show_bare(self) -> None:
        self._terminal.bare(bare(self._window.lines()))

    def _help(self, _: str) -> None:
        for command in self.commands:
            self.say(f"{command.usage}: {command.help}")

    def _delete(self) -> None:
        if self._input.edit_text:
            self._input.delete()
        else:
            self._quit()

    def _too_long(self) -> None:
        self.say(f"a paste has at most {amount(MOST)}; /send takes a file of any size")

    def changed(self) -> None:
        """There is something new to draw."""
        self._terminal.changed()

    def say(self, text: str) -> None:
        """Say something of the program's own in the room that is shown."""
        self.conversation.notice(text, time())
        self.changed()

    # The end.

    def _quit(self) -> None:
        if self._client is None or self._quitting:  # the second time it does not wait
            self._leave()
        else:
            self._quitting = True
            self._client.close().addCallback(lambda _: self._leave()).addErrback(self.failed)

    def _leave(self) -> None:
        if self._unsent:
            later = "" if self._client is None else "; chat sends what is left at its next start"
            self._end(1, f"not sent: {self._unsent} message{'s' if self._unsent > 1 else ''}{later}")
        else:
            self._end()

    def _hung_up(self, _signal: int, _frame: FrameType | None) -> None:
        self._reactor.callFromThread(self._end, 1, "the terminal hung up")

    def failed(self, failure: Failure) -> None:
        """End the program, and say why."""
        if failure.check(LoginRefused):
            self._end(1, f"{self.conversation.user} is not let in: {failure.getErrorMessage()}")
        elif failure.check(OSError, InputClosedError):
            self._end(1, f"the terminal is gone: {failure.getErrorMessage()}")
        elif not failure.check(CancelledError):
            place = extract_tb(failure.getTracebackObject())[-1:]
            where = "".join(f" ({Path(frame.filename).name}:{frame.lineno})" for frame in place)
            error = f"{type(failure.value).__name__}: {failure.getErrorMessage()}"
            self._end(1, f"an error in this program: {error}{where}")

    def _end(self, status: int = 0, why: str = "") -> None:
        if self._ended:
            return
        self._ended = True
        with suppress(OSError):  # it may be gone
            self._terminal.stop()
        signal.signal(signal.SIGHUP, self._hang_up)
        if self._ticking is not None:
            self._ticking.cancel()
        if self._talk is not None:
            self._talk.cancel()
        if why:
            with suppress(OSError):  # there may be nobody left to read it
                print(f"chat: {safe_line(why)}", file=sys.stderr)
        self._done.callback(status)
