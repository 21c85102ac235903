"""The terminal interface: a conversation with a client on the one side and a terminal on the other."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import time
from traceback import extract_tb
from types import FrameType
from typing import Any, NamedTuple, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from urwid.display.common import InputClosedError

from cli.client import Client
from cli.files import find, given, name_of, size_to_send
from cli.model import Conversation, Recall, Room, Transfer, Unsent, amount
from cli.options import message_id
from cli.paste import MOST, TOO_LONG
from cli.refusals import AskRefused, ClientClosed, LoginRefused, SendRefused
from cli.status import Listener, Status
from cli.terminal import Terminal
from cli.widgets import LONG, Input, Window
from wire.text import safe_line

T = TypeVar("T")

TICK = 1.0  # seconds between two drawings while a time on the screen counts down


def run(reactor: Any, connect: Callable[[Listener], Deferred[Client]], rooms: list[str], user: str) -> Deferred[int]:
    """Talk in ``rooms`` as ``user`` until the person has enough of it; fires with the exit status.

    ``connect`` makes the client. The terminal of standard input and output is taken, and given back before the
    Deferred fires, also where the reactor stops first. A status other than 0 comes with a line on standard error.
    """
    return Screen(reactor, connect, rooms, user).start()


class Command(NamedTuple):
    """What a line beginning with ``/`` does, and how ``/help`` tells it."""

    help: str
    run: Callable[[str], None]
    takes: str = ""


class Screen(Listener):
    """What happens between the conversation, the client and the person."""

    def __init__(
        self, reactor: Any, connect: Callable[[Listener], Deferred[Client]], rooms: list[str], user: str
    ) -> None:
        self._reactor = reactor
        self._connect = connect
        self._client: Client | None = None  # None until we are logged in for the first time
        self._conversation = Conversation(user, rooms)
        self._waiting: list[Callable[[Client], object]] = []  # what is to be done once we are logged in
        self._unsent = 0  # typed, and neither stored nor refused by the server
        self._left: list[tuple[Room, Unsent]] = []  # by an earlier run, and sent by this one
        self._transfers: dict[Transfer, Deferred[Any]] = {}  # under way, the newest is last
        self._recall = Recall()
        self._input = Input()
        self._commands = {
            "help": Command("what there is", self._help),
            "send": Command("send a file of any size", self._send_file, "FILE"),
            "save": Command("save a file, or all of a long text", self._save, "ID [FILE]"),
            "cancel": Command("stop the newest sending or saving that is under way", lambda _: self._cancel()),
            "quit": Command("end the program", lambda _: self._quit()),
        }
        self._window = Window(self._conversation, self._input, self._keys())
        self._terminal = Terminal(reactor, self._window, self._failed)
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
        self._talk = Deferred.fromCoroutine(self._read()).addErrback(self._failed)
        return self._done

    # What the client tells.

    def status_changed(self, status: Status) -> None:
        """Show it, and let the seconds to the next attempt count down."""
        self._conversation.status = status
        if not status.unsent:
            self._forget_left()
        if self._ticking is None:
            self._tick()
        self._terminal.changed()

    def presence(self, room: str, joined: list[str], left: list[str], users: int) -> None:  # noqa: ARG002
        """Show how many are there."""
        self._conversation.room(room).users = users
        self._terminal.changed()

    def notice(self, code: str, text: str) -> None:
        """Show it among what was said."""
        self._say(text or code)

    def room_opened(self, room: str, first_id: int, last_id: int) -> None:  # noqa: ARG002
        """Have it, written as the server writes it."""
        self._conversation.room(room).name = room
        self._terminal.changed()

    def resent(self, room: str, what: str) -> None:
        """Show it as not sent yet."""
        place = self._conversation.room(room)
        self._left.append((place, place.type(what, time(), self._conversation.user)))
        self._terminal.changed()

    def _forget_left(self) -> None:
        for room, unsent in self._left:
            room.forget(unsent)
        self._left.clear()

    def _tick(self) -> None:
        status = self._conversation.status
        counts = status is not None and status.retry_at is not None and not self._ended
        self._ticking = self._reactor.callLater(TICK, self._tick) if counts else None
        self._terminal.changed()

    async def _read(self) -> None:
        try:
            self._client = client = await self._connect(self)
            waiting, self._waiting = self._waiting, []
            for act in waiting:
                act(client)
            while True:
                self._conversation.add(await client.read_msg())
                self._terminal.changed()
        except ClientClosed as why:
            if not self._quitting:
                self._say(f"the connection is closed: {why}. /quit ends the program")

    def _watch(self, stored: Deferred[int | None], room: Room, unsent: Unsent) -> None:
        """Show ``unsent`` until it is ``stored``, or why it is not."""

        def arrived(id: int | None) -> None:
            self._unsent -= 1
            room.sent(unsent, id)
            self._terminal.changed()

        def refused(failure: Failure) -> None:
            if failure.trap(SendRefused, ClientClosed, CancelledError) is not ClientClosed:
                self._unsent -= 1
            why = "cancelled" if failure.check(CancelledError) else failure.getErrorMessage()
            room.refused(unsent, why or "not sent")
            self._terminal.changed()

        stored.addCallbacks(arrived, refused).addErrback(self._failed)

    # What the person does.

    def _keys(self) -> dict[str, Callable[[], object]]:
        conversation, input = self._conversation, self._input
        return {
            "enter": self._enter,
            "meta enter": lambda: input.insert("\n"),
            "up": lambda: self._remember(-1),
            "down": lambda: self._remember(1),
            "page up": lambda: self._window.page("page up"),
            "page down": lambda: self._window.page("page down"),
            "end": self._to_end,
            "ctrl n": lambda: conversation.turn(1),
            "ctrl p": lambda: conversation.turn(-1),
            "ctrl c": self._quit,
            "ctrl d": lambda: input.delete() if input.edit_text else self._quit(),
            TOO_LONG: lambda: self._say(f"a paste has at most {amount(MOST)}; /send takes a file of any size"),
        }

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
        elif name in self._commands:
            self._commands[name].run(rest)
        else:
            self._say(f"there is no /{name}; /help tells what there is, and // begins a text with a slash")

    def _type(self, text: str) -> None:
        room = self._conversation.current
        unsent = room.type(text, time(), self._conversation.user)
        self._unsent += 1
        self._when_there(lambda client: self._watch(client.send_msg(text, room.name), room, unsent))

    def _when_there(self, act: Callable[[Client], object]) -> None:
        if self._client is None:
            self._waiting.append(act)
        else:
            act(self._client)

    def _remember(self, by: int) -> None:
        self._input.replace(self._recall.step(by, self._input.edit_text))

    def _to_end(self) -> None:
        self._conversation.current.follow()
        self._input.set_edit_pos(len(self._input.edit_text))

    def _help(self, _: str) -> None:
        for name, command in self._commands.items():
            self._say(f"/{name} {command.takes}".rstrip() + f": {command.help}")

    # Files.

    def _send_file(self, argument: str) -> None:
        try:
            path = given(argument)
            size = size_to_send(path, path.name)
        except (ValueError, OSError) as why:
            self._say(f"cannot send {argument.strip() or 'that'}: {getattr(why, 'strerror', None) or why}")
            return
        room = self._conversation.current
        unsent = room.attach(path.name, size, time(), self._conversation.user)
        self._unsent += 1

        def begin(client: Client) -> None:
            sending = Transfer("sending", path.name)
            stored = client.send_file(path, room.name, progress=partial(self._progress, sending))
            self._watch(self._under_way(sending, stored), room, unsent)

        self._when_there(begin)

    def _save(self, argument: str) -> None:
        number, _, file = argument.strip().partition(" ")
        try:
            id, place = message_id(number), given(file or ".")
        except ValueError as why:
            self._say(f"{why}: /save ID [FILE]")
            return
        room = self._conversation.current.name
        self._when_there(
            lambda client: Deferred.fromCoroutine(self._save_to(client, room, id, place)).addErrback(self._failed)
        )

    async def _save_to(self, client: Client, room: str, id: int, path: Path) -> None:
        try:
            if path.is_dir():
                path /= name_of(await find(client, id, room))
            saving = Transfer("saving", path.name)
            saved = client.save(id, path, room, progress=partial(self._progress, saving))
            size = await self._under_way(saving, saved)
        except AskRefused as refused:
            self._say(f"message {id} is not saved: {refused.text}")
        except FileExistsError:
            self._say(f"{path.absolute()} is there already; save to another one: /save {id} FILE")
        except ConnectionLost:
            self._say(f"message {id} is not saved: there is no connection; try again once it is live")
        except CancelledError:
            self._say(f"message {id} is not saved; /save {id} goes on where it was")
        except ClientClosed as why:
            self._say(f"message {id} is not saved: {why}")
        except OSError as why:
            self._say(f"message {id} is not saved in {path.absolute()}: {why.strerror or why}")
        else:
            self._say(f"message {id} is saved in {path.absolute()}, {amount(size)}")

    def _under_way(self, transfer: Transfer, done: Deferred[T]) -> Deferred[T]:
        """Show ``transfer`` until it is ``done``, which is returned."""

        def over(result: Any) -> Any:
            del self._transfers[transfer]
            self._show_transfers()
            return result

        self._transfers[transfer] = done
        self._show_transfers()
        return done.addBoth(over)

    def _show_transfers(self) -> None:
        self._conversation.transfers = list(self._transfers)
        self._terminal.changed()

    def _progress(self, transfer: Transfer, done: int, size: int | None) -> None:
        transfer.done, transfer.size = done, size
        self._terminal.changed()

    def _cancel(self) -> None:
        if self._transfers:
            list(self._transfers.values())[-1].cancel()
        else:
            self._say("nothing is being sent or saved")

    def _say(self, text: str) -> None:
        self._conversation.notice(text, time())
        self._terminal.changed()

    # The end.

    def _quit(self) -> None:
        if self._client is None or self._quitting:  # the second time it does not wait
            self._leave()
        else:
            self._quitting = True
            self._client.close().addCallback(lambda _: self._leave()).addErrback(self._failed)

    def _leave(self) -> None:
        if self._unsent:
            later = "" if self._client is None else "; chat sends what is left at its next start"
            self._end(1, f"not sent: {self._unsent} message{'s' if self._unsent > 1 else ''}{later}")
        else:
            self._end()

    def _hung_up(self, _signal: int, _frame: FrameType | None) -> None:
        self._reactor.callFromThread(self._end, 1, "the terminal hung up")

    def _failed(self, failure: Failure) -> None:
        if failure.check(LoginRefused):
            self._end(1, f"{self._conversation.user} is not let in: {failure.getErrorMessage()}")
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
