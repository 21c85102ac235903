"""Keys that go through what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cli.screen.modes import Word
from cli.screen.view import WHEEL

if TYPE_CHECKING:
    from cli.screen.talk import Talk

STAYING: Final = {"page-up", "page-down", "scroll-up", "scroll-down"}  # what one does to look around


class Reading:
    """Goes back and forth in the room that ``talk`` shows."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._mention: int | None = None  # that one went to
        add = talk.keys.add
        add("page-up", lambda: talk.view.page(-1), "look a page further back", "page up")
        add("page-down", lambda: talk.view.page(1), "look a page further on", "page down")
        add("scroll-up", lambda: talk.view.scroll(-WHEEL), "look some rows further back", "meta page up")
        add("scroll-down", lambda: talk.view.scroll(WHEEL), "look some rows further on", "meta page down")
        add("beginning", self._to_beginning, "go to where the room begins", "meta home")
        add("unread", self._to_bar, "go to where unread begins", "meta u")
        add("previous-mention", lambda: self._to_mention(-1), "go to the mention before", "meta p")
        add("next-mention", lambda: self._to_mention(1), "go to the next mention", "meta n")

    def _to_beginning(self) -> None:
        room = self._talk.conversation.current
        room.look_at((room.history.first_id - 1, 0))

    def _to_bar(self) -> None:
        room = self._talk.conversation.current
        if room.bar is None:
            self._talk.writing.let(Word("nothing came here since you were here last"))
        else:
            room.look_at(room.bar)

    def _to_mention(self, by: int) -> None:
        """Go to the mention next to the last that one went to or, where that is out of sight, nearest in sight."""
        room = self._talk.conversation.current
        seen = [placed.position[0] for placed in self._talk.view.placed if placed.stays]
        if not seen:
            return
        edge = seen[-1] + 1 if by < 0 else seen[0] - 1
        found = room.mention(self._mention if self._mention in seen else edge, by)
        if found is not None:
            self._mention = found
            room.look_at((found, 0))
        elif by > 0:
            room.follow()
        else:
            self._talk.writing.let(Word("there is no mention before in what is loaded; /search finds all"))
