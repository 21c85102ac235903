"""What a message, and what is not one yet, looks like as lines. Texts are kept as they came: who shows them makes
them harmless.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import Final

from cli.inbox import Message
from cli.words import amount, clock

PART = 2048  # characters; a longer text is shown as several lines, because laying out a long one takes seconds
BEGINNING = 4096  # characters that are shown of a text; of one longer than a frame no more comes
LINES = 50  # likewise; else 60 kB of newlines are a thousand screens


class Kind(Enum):
    """What a line is; the value is the name of its style."""

    TALK = "talk"
    ACTION = "action"
    DELETED = "deleted"
    NOTICE = "notice"
    UNSENT = "unsent"
    REFUSED = "refused"
    PRESENCE = "presence"
    DAY = "day"
    BAR = "bar"  # where unread begins
    BEGINNING = "beginning"
    ABSENT = "absent"  # stands for messages that are not here


RULES: Final = {Kind.DAY, Kind.BAR}  # lines across the screen
BETWEEN: Final = {*RULES, Kind.PRESENCE, Kind.BEGINNING, Kind.ABSENT}  # what nobody said


@dataclass(frozen=True, slots=True)
class Line:
    """Something to show, or a part of it. The first part has the time (seconds since the epoch) and the name.

    A ``hit`` is part of what a search found, a ``mention`` of what concerns the person.
    """

    kind: Kind
    text: str
    at: float | None = None
    name: str = ""
    hit: bool = False
    mention: bool = False

    @property
    def clock(self) -> str:
        """The local time as ``12:03``; nothing where the line has none."""
        return "" if self.at is None else clock(self.at)


def lines_of(message: Message) -> list[Line]:
    """Return the lines that show ``message``, at least one."""
    at, name, size = message.at / 1000, message.sender, message.size or 0
    if message.deleted:
        return [Line(Kind.DELETED, "deleted", at, name)]
    if message.name is not None:
        return [Line(Kind.NOTICE, f"file {message.name}, {amount(size)}: /save {message.id}", at, name)]
    text = _beginning(message.text)
    lines = talk(text, at, name) if len(text) <= PART else [*_long(text, at, name)]
    if is_long(message):
        size = size or len(message.text.encode(errors="replace"))
        whole = f"Alt-O or /open {message.id} reads it, /save {message.id}"
        lines.append(Line(Kind.NOTICE, f"… {amount(size)} in all: {whole}"))
    return lines


def is_long(message: Message) -> bool:
    """Whether no more than the beginning of the text is shown."""
    if message.deleted or message.name is not None:
        return False
    return message.size is not None or _beginning(message.text) != message.text


def day(on: date) -> Line:
    """Return the line above the first message of a day."""
    return Line(Kind.DAY, f"{on:%A} {on.day} {on:%B %Y}")


def talk(text: str, at: float, name: str, kind: Kind = Kind.TALK) -> list[Line]:
    """Return the lines that show what ``name`` said, or did: ``/me waves``."""
    text = text.removesuffix("\n")  # many a file ends with one
    if text.startswith("/me "):
        text, name, kind = f"{name} {text[4:]}", "*", Kind.ACTION if kind is Kind.TALK else kind
    first, *more = _parts(text)
    return [Line(kind, first, at, name), *(Line(kind, part) for part in more)]


def typed(text: str, at: float, user: str) -> list[Line]:
    """Return the lines that show what was typed and is not sent yet: of a long text the beginning and the size."""
    beginning = _beginning(text)
    lines = talk(beginning, at, user, Kind.UNSENT)
    if beginning == text:
        return lines
    return [*lines, Line(Kind.UNSENT, f"… {amount(len(text.encode(errors='replace')))} in all")]


def _beginning(text: str) -> str:
    if len(text) <= LINES:  # as nearly all are
        return text
    lines = text[:BEGINNING].split("\n", LINES)
    return text[:BEGINNING] if not any(lines[LINES:]) else "\n".join(lines[:LINES])


@lru_cache(maxsize=64)  # one that is scrolled through is asked for line by line, and no screen has more long ones
def _long(text: str, at: float, name: str) -> tuple[Line, ...]:
    return tuple(talk(text, at, name))


def _parts(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > PART:
        # A part begins a new line on the screen, so cut where a line begins anyway, or at least a word.
        end = start + PART
        cut = text.rfind("\n", start + PART // 2, end) + 1 or text.rfind(" ", start + PART // 2, end) + 1 or end
        yield text[start:cut].removesuffix("\n")
        start = cut
    yield text[start:]
