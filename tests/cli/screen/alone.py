"""A terminal and nothing else: shows the keys that come. Started by the tests as a program.

``l`` lends the terminal to the command behind the screen's name, ``n`` notifies, ``b`` rings, ``f`` lends
it where no program can be started, ``q`` ends, ``r`` raises, and so does Alt-[, which comes by a timer.
"""

from __future__ import annotations

import errno
import sys
from typing import Any, cast
from unittest.mock import patch

import urwid
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.python.failure import Failure

from cli.screen.terminal import Terminal
from cli.screen.window import Window
from cli.settings import Settings

COLOURS = ["default", "dark gray", "light red", "dark green", "default,standout"]


class Alone(urwid.WidgetWrap[urwid.Widget]):
    """The size, what came last, and a few colours."""

    def __init__(self, reactor: Any) -> None:
        self.done: Deferred[None] = Deferred()
        self._reactor = reactor
        self._text = urwid.Text("")
        self._came: list[str] = []
        self._terminal = Terminal(reactor, cast(Window, self), self._failed, Settings(screen=sys.argv[1]))
        self._terminal.screen.register_palette([(colour, colour, "default") for colour in COLOURS])
        reactor.addSystemEventTrigger("before", "shutdown", self._terminal.stop)
        super().__init__(urwid.Filler(self._text, "top"))
        self._terminal.start()

    def refresh(self, size: tuple[int, int], now: float) -> None:
        colours = [(colour, f"{colour}\n") for colour in COLOURS]
        self._text.set_text([f"{size[0]}x{size[1]}\n", f"came: {' '.join(self._came[-4:])}\n", *colours, "é 谢谢"])

    def keypress(self, size: tuple[int, ...], key: str) -> None:
        self._came.append(str(key))
        match str(key):
            case "l":
                self._lend()
            case "f":
                with patch.object(
                    self._reactor, "spawnProcess", side_effect=OSError(errno.EAGAIN, "no more processes")
                ):
                    self._lend()
            case "n":
                self._terminal.notify("chat", "ann: \x1b]0;x\x07;hi", 777)
                self._terminal.notify("chat", "9")
            case "b":
                self._terminal.ring()
            case "q":
                self.done.callback(None)
            case "r" | "meta [":
                raise RuntimeError

    def _lend(self) -> None:
        lent = self._terminal.lend(sys.argv[2:])
        lent.addCallbacks(lambda status: self._say(f"status {status}"), lambda why: self._say(str(why.value)))

    def _say(self, what: str) -> None:
        self._came.append(what)
        self._terminal.changed()

    def mouse_event(self, size: Any, event: str, button: int, col: int, row: int, focus: bool) -> bool:
        self._came.append(f"{event}-{button}-{col}-{row}")
        return True

    def _failed(self, failure: Failure) -> None:
        self._terminal.stop()
        if not self.done.called:
            self.done.errback(failure)


if __name__ == "__main__":
    react(lambda reactor: Alone(reactor).done)
