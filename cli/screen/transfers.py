"""Files that are sent and saved while one talks."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred

from cli.files import find, given, name_of, size_to_send
from cli.options import message_id
from cli.refusals import UNANSWERED, why
from cli.screen.completion import behind_first, files
from cli.screen.conversation import Transfer
from cli.words import amount

if TYPE_CHECKING:
    from cli.screen.talk import Talk

T = TypeVar("T")


class Transfers:
    """Sends and saves files for ``talk``, and shows how far they are."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._conversation = talk.conversation
        self._under_way: dict[Transfer, Deferred[Any]] = {}  # the newest is last
        talk.commands.add("send", self._send, "send a file of any size", "FILE", files, subject="files")
        talk.commands.add(
            "save", self._save, "save a file, or all of a long text", "ID [FILE]", behind_first(files), subject="files"
        )
        talk.commands.add("cancel", self._cancel, "stop what is being sent or saved, the newest of it", subject="files")

    def _send(self, argument: str) -> None:
        try:
            path = given(argument)
            size = size_to_send(path, path.name)
        except (ValueError, OSError) as wrong:
            self._talk.say(f"cannot send {argument.strip() or 'that'}: {getattr(wrong, 'strerror', None) or wrong}")
            return
        room = self._conversation.current
        unsent = room.attach(path.name, size, time(), self._conversation.user)
        sending = Transfer("sending", path.name)
        stored = self._talk.client.send_file(path, room.name, progress=partial(self.progress, sending))
        self._talk.watch(self.show(sending, stored), room, unsent)

    def _save(self, argument: str) -> None:
        number, _, file = argument.strip().partition(" ")
        try:
            id, place = message_id(number), given(file or ".").absolute()
        except ValueError as wrong:
            self._talk.say(f"{wrong}: /save ID [FILE]")
        except OSError as wrong:  # where we are is gone
            self._talk.say(f"message {number} is not saved: {wrong.strerror or wrong}; name a whole path")
        else:
            self._talk.begin(self._save_to(self._conversation.current.name, id, place))

    async def _save_to(self, room: str, id: int, path: Path) -> None:
        client = self._talk.client
        try:
            if path.is_dir():
                path /= name_of(await find(client, id, room))
            saving = Transfer("saving", path.name)
            saved = client.save(id, path, room, progress=partial(self.progress, saving))
            size = await self.show(saving, saved)
        except UNANSWERED as wrong:
            self._talk.say(f"message {id} is not saved: {why(wrong)}")
        except FileExistsError:
            self._talk.say(f"{path} is there already; save to another one: /save {id} FILE")
        except CancelledError:
            self._talk.say(f"message {id} is not saved; /save {id} goes on where it was")
        except OSError as wrong:
            self._talk.say(f"message {id} is not saved in {path}: {wrong.strerror or wrong}")
        else:
            self._talk.say(f"message {id} is saved in {path}, {amount(size)}")

    def show(self, transfer: Transfer, done: Deferred[T]) -> Deferred[T]:
        """Show ``transfer`` until it is ``done``, which is returned."""

        def over(result: Any) -> Any:
            del self._under_way[transfer]
            self._changed()
            return result

        self._under_way[transfer] = done
        self._changed()
        return done.addBoth(over)

    def _changed(self) -> None:
        self._conversation.transfers = list(self._under_way)
        self._talk.changed()

    def progress(self, transfer: Transfer, done: int, size: int | None) -> None:
        """Show how far ``transfer`` is: ``done`` bytes of ``size``."""
        transfer.done, transfer.size = done, size
        self._talk.changed()

    def _cancel(self, _: str) -> None:
        if self._under_way:
            list(self._under_way.values())[-1].cancel()
        else:
            self._talk.say("nothing is being sent or saved")
