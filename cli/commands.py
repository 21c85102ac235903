"""``chat send``, ``chat tail`` and ``chat save``."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from select import poll
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import LoopingCall

from cli import errand
from cli.attempts import Threads
from cli.client import Client
from cli.errand import Bar, Errand, complain
from cli.files import find, name_of, size_to_send
from cli.login import connecting
from cli.options import SaveOptions, SendOptions, TailOptions, is_address
from cli.pipe import as_json, plain
from cli.refusals import AskRefused, SendRefused
from cli.secrets import Secrets
from cli.status import State
from cli.visit import Connect, leaving
from cli.words import amount
from wire.names import BadName
from wire.text import safe_line

AGAIN: Final = "; the same command goes on where it was"
LOOK: Final = 1.0  # seconds between two looks whether anybody still reads what we write

_WHAT_TO_DO: Final = {
    "bad_text": "--name NAME sends it as a file",
    "bad_name": "--name gives it another one",
}


def send(reactor: Any, options: SendOptions, secrets: Secrets) -> Deferred[int]:
    """Send files and standard input, one after the other; fires with the exit status."""
    connect = connecting(reactor, options, secrets, [options["room"]], read=False)
    return leaving(reactor, _send(reactor, connect, options))


def tail(reactor: Any, options: TailOptions, secrets: Secrets) -> Deferred[int]:
    """Print the last messages of a room, and those that come where that is wanted; fires with the exit status."""
    connect = connecting(reactor, options, secrets, [options["room"]], options["count"])
    return leaving(reactor, _tail(reactor, connect, options))


def save(reactor: Any, options: SaveOptions, secrets: Secrets) -> Deferred[int]:
    """Save the content of a message; fires with the exit status."""
    connect = connecting(reactor, options, secrets, [options["room"]], read=False)
    return leaving(reactor, _save(reactor, connect, options))


BY_NAME: Final[dict[str, Callable[[Any, Any, Secrets], Deferred[int]]]] = {"send": send, "tail": tail, "save": save}


async def _send(reactor: Any, connect: Connect, options: SendOptions) -> int:
    again = "" if "-" in options["files"] else AGAIN
    sending = Sending(options, Errand(reactor, again=again))
    return await errand.run(reactor, connect, options.server, sending.errand, sending.work)


class Sending:
    """What ``chat send`` does."""

    def __init__(self, options: SendOptions, errand: Errand) -> None:
        self.errand = errand
        self._name: str | None = options["name"]
        self._files: list[str] = options["files"]
        self._room: str = options["room"]

    async def work(self, client: Client) -> bool:
        """Send all; return whether all is stored."""
        stored = [await self._send(client, file) for file in self._files]
        await self.errand.until(client, lambda status: not status.unsent)  # what an earlier run left is sent too
        return all(stored)

    async def _send(self, client: Client, file: str) -> bool:
        name = self._name if file == "-" else self._name or Path(file).name
        what = name or "text"
        bar = Bar(what)
        try:
            if file == "-":
                on_its_way = client.send_stream(partial(os.read, 0), self._room, name=name, progress=bar)
            else:
                bar.done = size_to_send(Path(file), what)
                on_its_way = client.send_file(file, self._room, name=name, progress=bar)
            id = await self.errand.wait(on_its_way)
        except SendRefused as refused:
            to_do = _WHAT_TO_DO.get(refused.code)
            return _failed(f"{what} was not sent: {refused.text}" + (f"; {to_do}" if to_do else ""))
        except BadName as why:
            return _failed(f"{file} was not sent: {why}; {_WHAT_TO_DO['bad_name']}")
        except OSError as why:
            to_do = "; --host and --port say which server" if is_address(file) else ""
            return _failed(f"{file} was not sent: {why.strerror or why}{to_do}")
        finally:
            bar.close()
        number = "" if id is None else f" as message {id}"
        _tell(f"sent {what}, {amount(bar.done)},{number} in {self._room}")
        return True


async def _tail(reactor: Any, connect: Connect, options: TailOptions) -> int:
    printing = Tail(reactor, options)
    try:
        return await errand.run(reactor, connect, options.server, printing.errand, printing.work)
    except BrokenPipeError:  # as `head` does: it has what it wants
        return 0
    except OSError as why:
        complain(f"cannot write: {why.strerror or why}")
        return 1


class Tail:
    """What ``chat tail`` does."""

    def __init__(self, reactor: Any, options: TailOptions) -> None:
        self.errand = Errand(reactor, stays=bool(options["follow"]))
        self._reactor = reactor
        self._in_thread = Threads(reactor)
        self._watched = poll()
        self._watched.register(1, 0)  # for nothing but that nobody will read it any more
        self._room: str = options["room"]
        self._count: int = options["count"]
        self._follow = bool(options["follow"])
        self._line = as_json if options["json"] else plain

    async def work(self, client: Client) -> bool:
        """Print what there is; raises OSError, ``BrokenPipeError`` where nobody reads it."""
        looking = LoopingCall(self._look)
        looking.clock = self._reactor
        looking.start(LOOK)
        try:
            await self._come_in(client)
            await self._print_all(client)
        except AskRefused as refused:
            return _failed(f"not in {self._room}: {refused.text}")
        finally:
            looking.stop()
        return True

    async def _come_in(self, client: Client) -> None:
        """Raise :class:`AskRefused` where we may not be in the room: the login only left it out."""
        if not self.errand.last_ids:
            await self.errand.wait(client.join(self._room, None, self._count))

    async def _print_all(self, client: Client) -> None:
        while self._follow or client.check_status().behind:
            message = await self.errand.wait(client.read_msg())
            await self._print(self._line(message))
            if message.id >= max(self.errand.last_ids.values(), default=0) and not self._follow:
                break

    async def _print(self, line: str) -> None:
        await self.errand.wait(self._in_thread(_write, line.encode() + b"\n"))

    def _look(self) -> None:
        if self._watched.poll(0):
            self.errand.end(BrokenPipeError())


async def _save(reactor: Any, connect: Connect, options: SaveOptions) -> int:
    again = "" if options["output"] == "-" else AGAIN
    saving = Saving(options, Errand(reactor, again=again))
    return await errand.run(reactor, connect, options.server, saving.errand, saving.work)


class Saving:
    """What ``chat save`` does."""

    def __init__(self, options: SaveOptions, errand: Errand) -> None:
        self.errand = errand
        self._id: int = options["id"]
        self._room: str = options["room"]
        self._path: str | None = options["output"]
        self._force = bool(options["force"])

    async def work(self, client: Client) -> bool:
        """Save it; return whether all of it is there."""
        try:
            await self._save(client)
        except AskRefused as refused:
            return _failed(f"message {self._id} was not saved: {refused.text}")
        except FileExistsError as why:
            return _failed(f"{why.filename} is there already; --force overwrites it, -o saves to another FILE")
        except BrokenPipeError:  # as `head` does: it has what it wants
            return False
        except OSError as why:
            return _failed(f"message {self._id} was not saved to {self._path or 'this folder'}: {why.strerror or why}")
        return True

    async def _save(self, client: Client) -> None:
        if self._path == "-":
            await self._fetch(partial(client.fetch, write=_write), "standard output")
            return
        path = await self._place(client)
        if not self._force:
            size = await self._fetch(partial(client.save, path=path), path.name)
        else:
            beside = path.with_name(f".{path.name[:150]}.{self._id}")
            beside.unlink(missing_ok=True)
            size = await self._fetch(partial(client.save, path=beside), path.name)
            beside.replace(path)
        _tell(f"saved message {self._id} in {path}, {amount(size)}")

    async def _fetch(self, start: Callable[..., Deferred[int]], what: str) -> int:
        bar = Bar(what)
        try:
            return await self.errand.wait(start(self._id, room=self._room, progress=bar))
        finally:
            bar.close()

    async def _place(self, client: Client) -> Path:
        """Return where to save it: to the name it bears, unless another one was given."""
        path = Path(self._path or ".")
        while path.is_dir():
            try:
                message = await self.errand.wait(Deferred.fromCoroutine(find(client, self._id, self._room)))
                return path / name_of(message)
            except ConnectionLost:
                await self.errand.until(client, lambda status: status.state is State.LIVE)
        return path


def _failed(why: str) -> bool:
    complain(why)
    return False


def _write(data: bytes) -> None:
    """Write all of ``data`` to standard output; blocks, raises OSError."""
    while data:
        data = data[os.write(1, data) :]


def _tell(line: str) -> None:
    if os.isatty(1):
        print(safe_line(line))
