"""What takes the keys for a while, and says so above the input."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Final, Protocol

from cli.screen.paste import LONGEST_PASTE, Pasted
from cli.words import amount, line_count

LONGEST_SECRET: Final = 1024  # characters; a password has no more bytes than that
LEAVES: Final = ("esc", "ctrl c", "ctrl g", "ctrl d")  # keys by which one thinks better of something
DOTS: Final = 20  # that are shown at most
DOT: Final = "\N{BULLET}"


class Mode(Protocol):
    """Something that takes the keys for a while, and says so."""

    over: bool

    @property
    def prompt(self) -> str:
        """What is said."""

    def press(self, key: str) -> bool:
        """Take ``key``; False where it ends the mode and means what it always means."""


class Word:
    """Something said above the input until a key is pressed: the newest messages may be out of sight."""

    over = True

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt

    def press(self, key: str) -> bool:  # noqa: ARG002
        """Take no key."""
        return False


class Secret:
    """A password, of which only dots are seen while it is typed. While it stands no key goes anywhere else.

    ``done`` gets it, None where the person has thought better of it.
    """

    over = False

    def __init__(self, what: str, done: Callable[[str | None], object]) -> None:
        self._what = what
        self._done = done
        self._text = ""

    @property
    def prompt(self) -> str:
        """What is asked for, and how long it is so far."""
        return f"{self._what}: {DOT * min(len(self._text), DOTS)} (Enter when it is whole, Esc to leave it)"

    def press(self, key: str) -> bool:
        """Take ``key``, whatever it is."""
        match key:
            case Pasted():  # it may read like a key's name
                self._text = (self._text + key.partition("\n")[0])[:LONGEST_SECRET]
            case "backspace":
                self._text = self._text[:-1]
            case "ctrl u":
                self._text = ""
            case "enter" if self._text:
                self._end(self._text)
            case key if key in LEAVES:
                self._end(None)
        return True

    def _end(self, text: str | None) -> None:
        self.over = True
        self._text = ""
        self._done(text)


class Hold:
    """Takes all keys, which were meant for something else by who has not seen it, until one ``ends`` it."""

    over = False

    def __init__(self, prompt: str, ends: Container[str], done: Callable[[], object] = lambda: None) -> None:
        self.prompt = prompt
        self._ends = ends
        self._done = done

    def press(self, key: str) -> bool:
        """Take ``key``, whatever it is."""
        if key in self._ends and not isinstance(key, Pasted):
            self.over = True
            self._done()
        return True


def moved(why: str, room: str) -> Hold:
    """Return what takes what is being typed for another room than ``room``, which is shown now, and says ``why``."""
    return Hold(f"{why}: Enter goes on in {room}", (*LEAVES, "enter"))


class PasteQuestion:
    """What to do with a paste of many lines. While it stands no key goes anywhere else.

    ``edit`` gets the paste that is to stand in the input, and ``send`` sends what stands there then.
    """

    over = False

    def __init__(self, text: str, edit: Callable[[str], object], send: Callable[[], object]) -> None:
        self._text = text
        self._edit = edit
        self._send = send

    @property
    def prompt(self) -> str:
        """The question."""
        size = amount(len(self._text.encode(errors="replace")))
        return f"paste {line_count(self._text)} lines, {size}? Enter sends, e edits, Esc drops"

    def press(self, key: str) -> bool:
        """Take ``key``, whatever it is; another paste joins this one."""
        match key:
            case Pasted() if key == "e":
                self._end()
            case Pasted():  # it may read like a key's name
                if "\n" in key and len(self._text) + len(key) <= LONGEST_PASTE:
                    self._text += key
            case "enter":
                self._end()
                self._send()
            case "esc" | "ctrl c" | "ctrl g":
                self.over = True
        return True

    def _end(self) -> None:
        self.over = True
        self._edit(self._text)
