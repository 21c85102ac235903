"""The terminal: taken and given back, lent to another program, its bytes made keys, drawn no oftener than is seen."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from cli.screen.abilities import is_old, passed_on, takes_osc
from cli.screen.frames import ECHO, NEWS, Frames
from cli.screen.keyboard import Key, Keyboard
from cli.screen.raw_screen import RawScreen
from cli.screen.themes import dress
from cli.screen.window import Window
from cli.settings import Settings
from wire.text import safe_line

if TYPE_CHECKING:
    from cli.screen.curses_screen import CursesScreen

READ: Final = 65536  # bytes
NOTE: Final = 200  # characters of a notification

_PASTES: Final = "\x1b[?2004{}"
_OTHER_SCREEN: Final = "\x1b[?1049{}"
_PLAIN: Final = "\x1b[0m\x1b[?7h\x1b[?25h"  # no colours, wrapped at the margin, the cursor seen
_MOUSE: Final = "\x1b[?1000{0}\x1b[?1006{0}"  # presses and the wheel, at any column


class TerminalGone(Exception):
    """The terminal can be neither read nor written; the text says why, for a person."""


class Terminal:
    """Shows ``window`` and gives it the keys, between :meth:`start` and :meth:`stop`.

    ``failed`` is told of whatever goes wrong in a key or a drawing; of a :class:`TerminalGone`, too.
    """

    def __init__(self, reactor: Any, window: Window, failed: Callable[[Failure], None], settings: Settings) -> None:
        self._reactor = reactor
        self._window = window
        self._failed = failed
        self._settings = settings
        self._term = os.environ.get("TERM", "")
        self.screen = _screen(settings.screen)
        self._keyboard = Keyboard(reactor, partial(self._guarded, self._press), self.screen.answered)
        self._bytes = _Bytes(partial(self._guarded, self._keyboard.take), failed)
        self._mouse = False  # as the terminal was told
        self._frames = Frames(reactor, partial(self._guarded, self._draw))
        self._taken = False
        self._bare = False
        self._borrower: _Borrower | None = None
        self._signals: dict[signal.Signals, Any] = {}  # what they did before
        self._dress()
        for name in ("theme", "links"):
            settings.watch(name, self._dress)

    def start(self) -> None:
        """Take the terminal."""
        self._take()

    def stop(self) -> None:
        """Give the terminal back as it was; who has borrowed it is told to end."""
        borrower, self._borrower = self._borrower, None
        if borrower is not None:
            borrower.end()
        if self._taken:
            self._give_back()

    def changed(self, gap: float = NEWS) -> None:
        """There is something new to draw, ``gap`` seconds after the last drawing at the latest."""
        if self._shown:
            self._frames.changed(gap)

    def redraw(self) -> None:
        """Draw all of it anew: who knows what is on the screen."""
        if self._shown:
            with _reached():
                self.screen.resize()
            self.changed()

    def ring(self) -> None:
        """Ring the terminal's bell, unless another program has the terminal."""
        if self._taken:
            self._write("\x07")

    def notify(self, title: str, text: str, osc: int = 9) -> None:
        """Have the desktop show ``text``: by OSC 9, or by OSC 777, which shows a ``title`` too.

        Nothing happens in a terminal that might show the sequence itself, or that another program has.
        """
        title, text = (safe_line(words)[:NOTE].replace(";", ",") for words in (title, text))
        if self._taken and takes_osc(self._term):
            what = f"777;notify;{title};{text}" if osc == 777 else f"9;{title}: {text}"
            self._write(passed_on(f"\x1b]{what}\x07", os.environ))

    def bare(self, text: str) -> None:
        """Show harmless ``text`` in place of the window until a key is pressed, for the terminal to wrap and select."""
        if self._shown:
            self._bare = True
            self._frames.stop()
            self._set_mouse(False)
            shown = f"{_OTHER_SCREEN.format('l')}{_PLAIN}\n{text}\n\n-- a key goes back --\n"
            self._write(shown.replace("\n", "\r\n"))  # curses has the terminal add no return

    def lend(self, command: Sequence[str]) -> Deferred[int]:
        """Run ``command`` in the terminal, and take it again when that has ended; fires with the exit status.

        The program shares our process group: Ctrl-Z stops both and ``fg`` continues both. Fails with OSError where
        there is no such program, or the terminal is not ours to lend.
        """
        if not self._taken:
            return fail(OSError("the terminal is in use"))
        path = shutil.which(command[0])
        if path is None:
            return fail(FileNotFoundError(f"there is no program {command[0]}"))
        self._give_back()
        interrupted = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for the other program

        def ended(status: int) -> int:
            signal.signal(signal.SIGINT, interrupted)
            if self._borrower is not None:  # else we have ended meanwhile
                self._borrower = None
                self._take()
            return status

        try:
            self._borrower = _Borrower(self._reactor, path, command)
        except OSError:
            signal.signal(signal.SIGINT, interrupted)
            self._take()
            return fail()
        return self._borrower.ended.addCallback(ended)

    def suspend(self) -> None:
        """Give the terminal back and stop, as Ctrl-Z does, until the shell's ``fg``."""
        if self._taken:
            self._give_back()
            os.kill(os.getpid(), signal.SIGTSTP)
            self._take()

    # Taking and giving.

    @property
    def _shown(self) -> bool:
        """Whether the window is what the terminal shows."""
        return self._taken and not self._bare

    def _take(self) -> None:
        self._taken = True
        for number, act in (
            (signal.SIGWINCH, self.redraw),
            (signal.SIGTSTP, self.suspend),
            (signal.SIGCONT, self.redraw),  # stopped by SIGSTOP
        ):
            self._signals[number] = signal.signal(number, partial(self._signalled, act))
        with _reached():
            self.screen.start()
        self._write("" if is_old(self._term) else _PASTES.format("h"))
        self._reactor.addReader(self._bytes)
        self.changed()

    def _dress(self) -> None:
        dress(self.screen, self._settings)
        self.redraw()

    def _give_back(self) -> None:
        self._taken = self._bare = False
        self._reactor.removeReader(self._bytes)
        self._keyboard.stop()
        self._frames.stop()
        with suppress(TerminalGone):
            self._set_mouse(False)
            self._write("" if is_old(self._term) else _PASTES.format("l"))
        try:
            self.screen.stop()
        finally:
            for number, before in self._signals.items():
                signal.signal(number, before)
            self._signals.clear()

    def _signalled(self, act: Callable[[], None], *_: Any) -> None:
        self._reactor.callFromThread(self._guarded, act)

    def _guarded(self, act: Callable[..., None], *arguments: Any) -> None:
        try:
            act(*arguments)
        except Exception:
            self._failed(Failure())

    def _set_mouse(self, wanted: bool) -> None:
        if wanted != self._mouse and not is_old(self._term):
            self._mouse = wanted
            self._write(_MOUSE.format("h" if wanted else "l"))

    def _write(self, sequence: str) -> None:
        with _reached():
            sys.stdout.buffer.write(sequence.encode(sys.stdout.encoding, "replace"))
            sys.stdout.flush()

    # Keys and drawings.

    def _press(self, keys: list[Key]) -> None:
        if self._bare:
            self._bare = False
            self._write(_OTHER_SCREEN.format("h"))
            self.redraw()
            return
        size = self.screen.get_cols_rows()
        for key in keys:
            if not self._taken:  # an earlier key has ended it, or lent the terminal
                break
            if isinstance(key, str):
                self._window.keypress(size, key)
            else:
                self._window.mouse_event(size, *key, focus=True)
        self.changed(ECHO)

    def _draw(self) -> None:
        self._set_mouse(self._settings.mouse)
        size = self.screen.get_cols_rows()
        self._window.refresh(size, self._reactor.seconds())
        canvas = self._window.render(size, focus=True)
        with _reached():
            self.screen.draw_screen(size, canvas)


def _screen(name: str) -> RawScreen | CursesScreen:
    if name == "curses":
        from cli.screen.curses_screen import CursesScreen  # it takes a while, and few need it

        return CursesScreen()
    return RawScreen()


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except OSError as why:
        raise TerminalGone(why.strerror or str(why)) from why


@implementer(IReadDescriptor)
class _Bytes:
    """What comes from standard input, as the reactor reads it."""

    def __init__(self, take: Callable[[bytes], None], failed: Callable[[Failure], None]) -> None:
        self._take = take
        self._failed = failed

    def fileno(self) -> int:
        return 0

    def logPrefix(self) -> str:
        return "terminal"

    def doRead(self) -> None:
        try:
            with _reached():
                data = os.read(0, READ)
            if not data:
                raise TerminalGone("standard input is closed")
        except TerminalGone:
            self._failed(Failure())
        else:
            self._take(data)

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002  # that of a connection that ended well
        self._failed(Failure(TerminalGone("it hung up")))  # SIGHUP may come a moment later


class _Borrower(ProcessProtocol):
    """A program that has the terminal; ``ended`` fires with its exit status, 128 and the signal where it was killed."""

    def __init__(self, reactor: Any, path: str, command: Sequence[str]) -> None:
        self.ended: Deferred[int] = Deferred()
        self._process = reactor.spawnProcess(self, path, list(command), env=None, childFDs={0: 0, 1: 1, 2: 2})

    def end(self) -> None:
        """Ask it to end."""
        self._process.signalProcess("TERM")

    def processEnded(self, reason: Failure) -> None:
        why: Any = reason.value
        self.ended.callback(why.exitCode if why.signal is None else 128 + why.signal)
