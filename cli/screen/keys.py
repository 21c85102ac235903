"""What the keys do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple


class Action(NamedTuple):
    """What a key can do; ``keys`` are those that do it unless somebody binds others, by urwid's names.

    Several pressed one after the other are written with a space: ``ctrl x ctrl e``.
    """

    name: str
    run: Callable[[], object]
    help: str
    keys: tuple[str, ...]


class Keys:
    """All actions by their names, and which of them each key does."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}
        self._bound: dict[str, Action] = {}
        self._pressed = ""  # what may be the beginning of several

    def add(self, name: str, run: Callable[[], object], help: str, *keys: str) -> None:
        """Have an action that ``keys`` do."""
        action = self._actions[name] = Action(name, run, help, keys)
        self._bound.update(dict.fromkeys(keys, action))

    def __iter__(self) -> Iterator[Action]:
        return iter(self._actions.values())

    def press(self, key: str) -> bool:
        """Do what ``key`` does, or what it does after those pressed before; False where that is nothing."""
        pressed, self._pressed = f"{self._pressed} {key}".strip(), ""
        if action := self._bound.get(pressed):
            action.run()
        elif any(keys.startswith(f"{pressed} ") for keys in self._bound):
            self._pressed = pressed
        else:
            return pressed != key
        return True

    def forget(self) -> None:
        """Something else was pressed."""
        self._pressed = ""
