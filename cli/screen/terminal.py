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

from cli.screen.paste import Pasted, Pastes
from cli.screen.themes import PALETTE
from cli.screen.window import Window

Key = str | tuple[str, int, int, int]
P = ParamSpec("P")
T = TypeVar("T")

FRAME = 1 / 30  # seconds between two drawings, at least


class Terminal:
    """Shows ``window`` and gives it the keys, between :meth:`start` and :meth:`stop`.

    ``failed`` is told of whatever goes wrong in a key or a drawing; urwid would only log it and go on.
    """

    def __init__(self, reactor: Any, window: Window, failed: Callable[[Failure], None]) -> None:
        self._reactor = reactor
        self._window = window
        self._failed = failed
        self._pastes = Pastes(reactor, self._process)
        self._loop = urwid.MainLoop(
            window,
            PALETTE,
            _Screen(self._pastes),
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
            self._pastes.stop()
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
        return _runs(keys)

    def _process(self, key: str) -> None:
        self._loop.process_input([key])
        self.changed()


def _runs(keys: list[Key]) -> list[Key]:
    """Return ``keys`` with characters that came at once as one text.

    A terminal that does not mark a paste gives it like that.
    """
    runs: list[Key] = []
    for is_text, group in groupby(keys, lambda key: isinstance(key, Pasted) or len(key) == 1):
        run = list(group)
        runs += [Pasted("".join(map(str, run)))] if is_text else run
    return runs


class _Screen(Screen):
    """Ctrl-C, Ctrl-S, Ctrl-Q and the key for SIGQUIT are keys like others; Ctrl-Z still suspends.

    Pastes are taken out before urwid looks for keys: at 12 µs a character 5 MiB would take a minute.
    """

    def __init__(self, pastes: Pastes) -> None:
        self._pastes = pastes
        super().__init__(bracketed_paste_mode=True, focus_reporting=False)

    def parse_input(self, event_loop: Any, callback: Any, codes: list[int], wait_for_more: bool = True) -> Any:
        """Tell ``callback`` of the keys and the pastes in ``codes``, in their order."""
        for keys, paste in self._pastes.take(bytes(codes)):
            last = paste is None and not self._pastes.open
            super().parse_input(event_loop, callback, list(keys), wait_for_more and last)
            if paste is not None:
                callback([paste], [])

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
