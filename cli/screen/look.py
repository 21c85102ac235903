"""What stands out in a row: whose it is, what concerns the user, what can be followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from urwid import AttrSpec, Hyperlink
from urwid.util import LayeredAttr

from cli.screen.highlights import Highlights
from cli.screen.lines import PART, Kind, Line
from cli.screen.links import LONGEST_LINK, links
from cli.screen.names import Names, colour
from wire.names import fold

Markup = Any  # urwid's: a text, a pair of a style and markup, or a list of them

ALIKE: Final = "≈"  # stands before a name that only looks like another one

_SAID: Final = {Kind.TALK, Kind.ACTION}
_NOBODY: Final = {"*": "action", "-": "notice", "": "talk"}  # what stands in a name's place, and its style


class Look:
    """What ``user`` sees at once, and who has seen some names before."""

    def __init__(self, user: str, highlights: Highlights) -> None:
        self._user = fold(user)
        self._highlights = highlights
        self._names = Names(user)

    def name(self, line: Line) -> tuple[str, str]:
        """Return what stands in the name's place, and its style."""
        name, style = (line.name, _NOBODY[line.name]) if line.name in _NOBODY else self._person(line.name)
        return name, "mention" if style != "alike" and line.name and line.mention else style

    def plain(self, line: Line) -> Line:
        """Return ``line`` with its name as it is shown."""
        if line.kind is not Kind.ACTION or not line.name:
            return replace(line, name=self.name(line)[0])
        name, space, rest = line.text.partition(" ")
        return replace(line, text=f"{self._person(name)[0]}{space}{rest}")

    def text(self, line: Line, text: str) -> Markup:
        """Return the markup of the line's ``text``, which was made harmless."""
        if line.kind is not Kind.ACTION or not line.name:
            return self._marked(line, text)
        name, space, rest = text.partition(" ")
        name, style = self._person(name)
        return [(style, name), space, self._marked(line, rest)]

    def _marked(self, line: Line, text: str) -> Markup:
        pieces: list[Markup] = []
        place = 0
        for start, end, style in sorted(self._spans(line, text), key=lambda span: span[:2]):
            if start >= place:  # of two that overlap the first one stays
                pieces += [text[place:start], (style, text[start:end])]
                place = end
        return [*pieces, text[place:]]

    def _spans(self, line: Line, text: str) -> Iterator[tuple[int, int, Any]]:
        for start, end, address in links(text):
            is_cut = end == len(text) >= PART
            yield start, end, "link" if is_cut or len(address) > LONGEST_LINK else _linked(address)
        if line.mention and line.kind in _SAID:
            for start, end in self._highlights.spans(text):
                yield start, end, "highlight"

    def _person(self, name: str) -> tuple[str, str]:
        if fold(name) == self._user:
            return name, "own"
        return (ALIKE + name, "alike") if self._names.is_alike(name) else (name, colour(name))


def _linked(address: str) -> LayeredAttr:
    """Return the style of a link; by their ``id`` a terminal knows the rows of a wrapped one as one."""
    return LayeredAttr(AttrSpec(hyperlink=Hyperlink(address, id="chat")), "link")
