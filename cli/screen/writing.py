"""What a person does to write: keys that change the text, and what becomes of it when it is finished."""

from __future__ import annotations

from functools import partial
from time import time
from typing import TYPE_CHECKING, Final

from platformdirs import user_state_path
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from cli.screen.completion import Completing, complete
from cli.screen.editing import COMMANDS, Buffer, EditCommand, KillRing
from cli.screen.editor import EditorFailed, edit
from cli.screen.entered import Entered
from cli.screen.input import Input
from cli.screen.modes import Mode, PasteQuestion, Word
from cli.screen.paste import LONGEST_PASTE, Pasted, TooLong
from cli.screen.people import People
from cli.screen.recall import HistorySearch, Recall
from cli.screen.room import Room
from cli.words import amount, line_count
from wire.names import fold

if TYPE_CHECKING:
    from cli.screen.talk import Talk

TWICE: Final = 2.0  # seconds within which a second Ctrl-C ends the program


class Writing:
    """What is being written for ``talk``, in each room something of its own."""

    def __init__(self, talk: Talk, clock: IReactorTime) -> None:
        self.input = Input()
        self._talk = talk
        self._clock = clock
        self._conversation = talk.conversation
        self._ring = KillRing()
        self._entered = Entered(user_state_path("console-chat") / "history", talk.say)
        self._recalls: dict[str, Recall] = {}  # by the rooms' folded names
        self._modes: dict[Room | None, Mode] = {}  # None: in all rooms, before those of the rooms
        self._early: list[Deferred[int | None]] = []  # typed before we were let in
        self._left: Mode | None = None  # by the key that is being taken
        self._people = People(talk)
        self._completing: Completing | None = None
        self._interrupted = -TWICE  # when Ctrl-C was pressed with nothing to clear, by the clock
        self._add_keys()
        talk.commands.add("me", self._act, "say what you do", "TEXT", subject="talk")

    @property
    def prompt(self) -> str:
        """What is to be said above the input; nothing most of the time."""
        mode = self._modes.get(self._asked_in)
        return mode.prompt if mode else ""

    @property
    def _asked_in(self) -> Room | None:
        return None if None in self._modes else self._conversation.current

    @property
    def half_written(self) -> bool:
        """Whether something is typed in the room that is shown, and not sent."""
        return bool(self._buffer.text)

    def refresh(self) -> None:
        """Show what is being written in the room that is shown."""
        self.input.show(self._buffer)

    def press(self, key: str) -> bool:
        """Take ``key`` where it is text, or where something waits for an answer; False where it is another key."""
        if isinstance(key, TooLong):
            self._talk.say(f"a paste has at most {amount(LONGEST_PASTE)}; /send takes a file of any size")
            return True
        place = self._asked_in
        self._left = mode = self._modes.pop(place, None)
        if mode is not None and mode.press(key):
            if not mode.over:
                self._modes[place] = mode
            return True
        if isinstance(key, Pasted):
            self._take(key)
        return isinstance(key, Pasted)

    def let(self, mode: Mode, *, everywhere: bool = False) -> None:
        """Let ``mode`` take the keys in the room that is shown, or ``everywhere``: a click may show another room."""
        there = [None, *self._conversation.rooms]  # those that were left go
        self._modes = {room: kept for room, kept in self._modes.items() if room in there}
        self._modes[None if everywhere else self._conversation.current] = mode

    def drop(self, mode: Mode) -> None:
        """Let ``mode`` take no more keys."""
        self._modes = {room: kept for room, kept in self._modes.items() if kept is not mode}

    def take_back(self) -> None:
        """Do not send, nor keep on disk, what was typed before we were let in: it may be a password."""
        self._entered.keep_back()
        early, self._early = self._early, []
        for stored in early:
            stored.cancel()

    def keep(self) -> None:
        """Keep what is half-written, so that Up has it when the program runs again."""
        for recall in self._recalls.values():
            self._entered.add(recall.draft.rstrip())
        self._entered.keep()

    @property
    def _room(self) -> str:
        return fold(self._conversation.current.name)

    @property
    def _recall(self) -> Recall:
        if self._room not in self._recalls:
            self._recalls[self._room] = Recall(self._entered, self._ring)
        return self._recalls[self._room]

    @property
    def _buffer(self) -> Buffer:
        return self._recall.buffer

    def _add_keys(self) -> None:
        add = self._talk.keys.add
        add("send", self._enter, "send what is typed", "enter")
        add("new-line", lambda: self._buffer.insert("\n"), "begin a new line", "meta enter")
        add("recall-older", partial(self._step, -1), "the line above, or what was typed before", "up")
        add("recall-newer", partial(self._step, 1), "the line below, or what was typed after that", "down")
        add("search-older", partial(self._search, -1), "search in what was typed before", "ctrl r")
        add("search-newer", partial(self._search, 1), "search on towards what was typed last", "ctrl s")
        add("complete", partial(self._complete, 1), "complete the word, with the next that fits", "tab")
        add("complete-back", partial(self._complete, -1), "complete it with the one before", "shift tab")
        add("editor", self._edit, "write in your editor: $VISUAL or $EDITOR", "ctrl x ctrl e")
        add("end", self._end, "go to where the line ends, and from there to the newest message", "end")
        add("interrupt", self._interrupt, "clear what is typed; twice with nothing typed ends the program", "ctrl c")
        add("delete-or-quit", self._delete, "delete a character; with nothing typed, end the program", "ctrl d")
        for command in COMMANDS:
            add(command.name, partial(self._run, command), command.help, *command.keys)

    def _run(self, command: EditCommand) -> None:
        command.run(self._buffer)

    # What is finished.

    def _enter(self) -> None:
        text = self._recall.take()
        if not text.strip():
            return
        name, _, rest = text.removeprefix("/").partition(" ")
        command = self._talk.commands.get(name) if text.startswith("/") else None
        if command is None or not command.private:
            self._entered.add(text, early=not self._conversation.met)
        room = self._conversation.current
        end = room.rows.end
        if not text.startswith("/"):
            self._send(text)
        elif text.startswith("//"):
            self._send(text[1:])
        elif command is not None:
            command.run(rest)
        else:
            self._talk.orders.try_unknown(name, rest)
        if room.rows.end != end:  # an answer, which wants to be seen
            room.follow()

    def _act(self, text: str) -> None:
        if text.strip():
            self._send(f"/me {text}")
        else:
            self._talk.say("say what you do: /me TEXT")

    def _send(self, text: str) -> None:
        self.say_in(self._conversation.current, text)

    def say_in(self, room: Room, text: str) -> None:
        """Send ``text``, which is shown as not sent until it is stored."""
        unsent = room.type(text, time(), self._conversation.user)
        stored = self._talk.client.send_msg(text, room.name)
        if not self._conversation.met:
            self._early.append(stored)
        self._talk.watch(stored, room, unsent)

    def _take(self, text: str) -> None:
        if line_count(text) > self._talk.settings.paste_lines:
            self.let(PasteQuestion(text, self._buffer.insert, self._enter))
        else:
            self._buffer.insert(text)

    # What was typed before.

    def _step(self, by: int) -> None:
        if not self.input.step(by):
            self._recall.step(by)

    def _search(self, by: int) -> None:
        search = self._left if isinstance(self._left, HistorySearch) else HistorySearch(self._recall)
        search.again(by)
        self.let(search)

    # What the word could become.

    def _complete(self, by: int) -> None:
        buffer = self._buffer
        going = self._completing
        if going is None or not going.goes_on or not going.stands(buffer):
            going = self._completing = self._begin_completing(buffer)
            late = partial(self._complete_late, going, buffer, by)
            self._people.ask(self._conversation.current, late, found=bool(going.found))
        going.turn(by)
        self._tell(buffer.text[: buffer.cursor])

    def _tell(self, completed: str) -> None:
        """Say what was put in, where it does not speak for itself."""
        name, _, rest = completed.removeprefix("/").partition(" ")
        command = self._talk.commands.get(name) if completed.startswith("/") else None
        if command is not None and command.tells is not None and (words := command.tells(rest)):
            self.let(Word(words))

    def _begin_completing(self, buffer: Buffer) -> Completing:
        people = self._people.of(self._conversation.current)
        start, found = complete(buffer.text[: buffer.cursor], self._talk.commands, people)
        return Completing(buffer, start, found)

    def _complete_late(self, began: Completing, buffer: Buffer, by: int) -> None:
        """It is known who is there: complete what could not be, unless something else was typed."""
        if not began.found and began is self._completing and began.stands(self._buffer):
            self._completing = self._begin_completing(buffer)
            self._completing.turn(by)
            self._talk.changed()

    # Elsewhere.

    def _edit(self) -> None:
        self._talk.begin(self._edit_in(self._buffer))

    async def _edit_in(self, buffer: Buffer) -> None:
        try:
            text = await edit(buffer.whole, self._talk.lend)
        except EditorFailed as why:
            self._talk.say(str(why))
        else:
            buffer.replace(0, len(buffer.text), text)
        self._talk.changed()

    # The end of the line, and of the program.

    def _end(self) -> None:
        before = self._buffer.cursor
        self._buffer.end_of_line()
        if self._buffer.cursor == before:
            self._conversation.current.follow()

    def _interrupt(self) -> None:
        now = self._clock.seconds()
        if self._buffer.text:
            self._buffer.kill_whole_text()
        elif now - self._interrupted < TWICE:
            self._talk.quit()
        else:
            self._interrupted = now
            self.let(Word("the same again ends the program, and so does /quit"))

    def _delete(self) -> None:
        if self._buffer.text:
            self._buffer.delete_char()
        else:
            self._talk.quit()
