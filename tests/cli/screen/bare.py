"""A terminal and nothing else: shows the keys that come. Started by the tests as a program.

``l`` lends the terminal to the command behind the program's name, ``n`` notifies, ``b`` rings, ``q`` ends.
"""

from __future__ import annotations

import sys
from typing import Any, cast

import urwid
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.python.failure import Failure

from cli.screen.terminal import Terminal
from cli.screen.window import Window
from cli.settings import Settings

COLOURS = ["default", "dark gray", "light red", "dark green", "default,standout"]


class Shown(urwid.WidgetWrap[urwid.Filler]):
    """The size, what came last, and a few colours."""

    def __init__(self) -> None:
        self.text = urwid.Text("")
        self.came: list[str] = []
        super().__init__(urwid.Filler(self.text, "top"))

    def refresh(self, size: tuple[int, int], now: float) -> None:
        colours = [(colour, f"{colour}\n") for colour in COLOURS]
        self.text.set_text([f"{size[0]}x{size[1]}\n", f"came: {' '.join(self.came[-4:])}\n", *colours, "é 谢谢"])

    def selectable(self) -> bool:
        return True

    def keypress(self, size: tuple[int, int], key: str) -> None:  # type: ignore[override]
        self.came.append(str(key))
        match str(key):
            case "l":
                lent = terminal.lend(sys.argv[2:])
                lent.addCallbacks(lambda status: f"status {status}", Failure.getErrorMessage)
                lent.addCallback(self.came.append).addCallback(lambda _: terminal.changed())
            case "n":
                terminal.notify("chat", "ann: \x1b]0;x\x07;hi", 777)
                terminal.notify("chat", "9")
            case "b":
                terminal.ring()
            case "q":
                done.callback(None)
            case "r":
                raise RuntimeError

    def mouse_event(self, size: Any, event: str, button: int, col: int, row: int, focus: bool) -> bool:
        self.came.append(f"{event}-{button}-{col}-{row}")
        return True


def failed(failure: Failure) -> None:
    terminal.stop()
    if not done.called:
        done.errback(failure)


def main(reactor: Any) -> Deferred[None]:
    global terminal, done
    done = Deferred()
    terminal = Terminal(reactor, cast(Window, Shown()), failed, Settings(screen=sys.argv[1]))
    terminal.screen.register_palette([(colour, colour, "default") for colour in COLOURS])
    reactor.addSystemEventTrigger("before", "shutdown", terminal.stop)
    terminal.start()
    return done


if __name__ == "__main__":
    react(main)
