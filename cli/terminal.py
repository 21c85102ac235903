"""urwid on a Twisted reactor: the terminal taken and given back, drawn at most 30 times a second."""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import groupby
from typing import Any, ParamSpec, TypeVar

import urwid
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from urwid.display.raw import Screen

from cli.widgets import PALETTE, Pasted, Window

Key = str | tuple[str, int, int, int]
P = ParamSpec("P")
T = TypeVar("T")

FRAME = 1 / 30  # seconds between two drawings, at least
SILENCE = 3.0  # seconds without a key after which a paste has ended, whether or not the terminal says so


class Terminal:
    """Shows ``window`` and gives it the keys, between :meth:`start` and :meth:`stop`.

    ``failed`` is told of whatever goes wrong in a key or a drawing; urwid would only log it and go on.
    """

    def __init__(self, reactor: Any, window: Window, failed: Callable[[Failure], None]) -> None:
        self._reactor = reactor
        self._window = window
        self._failed = failed
        self._paste = Paste(reactor, self._process)
        self._loop = urwid.MainLoop(
            window,
            PALETTE,
            _Screen(bracketed_paste_mode=True, focus_reporting=False),
            handle_mouse=False,
            input_filter=self._filter,
            event_loop=_EventLoop(reactor, failed),
        )
        self._drawn = 0.0
        self._drawing: IDelayedCall | None = None
        self._running = False

    def start(self) -> None:
        """Take the terminal."""
        self._running = True
        self._loop.start()
        self.changed()

    def stop(self) -> None:
        """Give the terminal back as it was."""
        if self._running:
            self._running = False
            self._paste.stop()
            if self._drawing is not None:
                self._drawing.cancel()
            self._loop.stop()

    def changed(self) -> None:
        """There is something new to draw."""
        if self._running and self._drawing is None:
            wait = self._drawn + FRAME - self._reactor.seconds()
            self._drawing = self._reactor.callLater(min(max(0.0, wait), FRAME), self._draw)

    def _draw(self) -> None:
        self._drawing = None
        self._drawn = self._reactor.seconds()
        try:
            size = self._loop.screen_size or self._loop.screen.get_cols_rows()
            self._window.refresh(size, self._drawn)
            self._loop.draw_screen()
        except Exception:
            self._failed(Failure())

    def _filter(self, keys: list[Key], _raw: list[int]) -> list[Key]:
        self.changed()
        return self._paste.gather(keys)

    def _process(self, keys: list[Key]) -> None:
        self._loop.process_input(keys)
        self.changed()


class Paste:
    """What is pasted, put together so that it is one thing and no keys.

    ``give`` gets it where its end does not come: then what was gathered is all of it, and keys are keys again.
    """

    def __init__(self, clock: Any, give: Callable[[list[Key]], None]) -> None:
        self._clock = clock
        self._give = give
        self._gathered: list[str] | None = None  # None outside of a paste
        self._patience: IDelayedCall | None = None

    def gather(self, keys: list[Key]) -> list[Key]:
        """Return the ``keys`` that are no part of a paste, with each paste that ended as a :class:`Pasted` one.

        Characters that came at once are one too: a terminal that does not mark a paste gives them like that.
        """
        passed: list[Key] = []
        for key in keys:
            if key == "begin paste":
                self._gathered = []
            elif self._gathered is None or key == "window resize":
                passed.append(key)
            elif key == "end paste":
                passed.append(self._end())
            else:
                self._gathered.append(_text(key))
        self._wait()
        return _runs(passed)

    def stop(self) -> None:
        """Wait for no end any more."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _wait(self) -> None:
        self.stop()
        if self._gathered is not None:
            self._patience = self._clock.callLater(SILENCE, self._give_up)

    def _give_up(self) -> None:
        self._patience = None
        self._give([self._end()])

    def _end(self) -> Pasted:
        text, self._gathered = "".join(self._gathered or []), None
        return Pasted(text)


def _runs(keys: list[Key]) -> list[Key]:
    runs: list[Key] = []
    for is_text, group in groupby(keys, lambda key: isinstance(key, Pasted) or len(key) == 1):
        run = list(group)
        runs += [Pasted("".join(map(str, run)))] if is_text else run
    return runs


def _text(key: Key) -> str:
    if key == "enter":
        return "\n"
    if key == "tab":
        return "\t"
    return key if isinstance(key, str) and len(key) == 1 else ""


class _Screen(Screen):
    """Ctrl-C, Ctrl-S, Ctrl-Q and the key for SIGQUIT are keys like others; Ctrl-Z still suspends."""

    def _start(self, *args: Any, **kwargs: Any) -> None:
        super()._start(*args, **kwargs)
        self.tty_signal_keys("undefined", "undefined", "undefined", "undefined", fileno=self._input_fileno())


class _EventLoop(urwid.TwistedEventLoop):
    """Tells ``failed`` of what is raised in a callback."""

    def __init__(self, reactor: Any, failed: Callable[[Failure], None]) -> None:
        self._tell = failed
        super().__init__(reactor, manage_reactor=False)

    def enter_idle(self, callback: Callable[[], Any]) -> int:  # noqa: ARG002
        """Never call it: :class:`Terminal` draws."""
        return 0

    def handle_exit(self, f: Callable[P, T], enable_idle: bool = True) -> Callable[P, T | None]:  # noqa: ARG002
        """Return ``f`` with whatever it raises told to ``failed``."""

        @functools.wraps(f)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T | None:
            try:
                return f(*args, **kwargs)
            except Exception:
                self._tell(Failure())
                return None

        return guarded
