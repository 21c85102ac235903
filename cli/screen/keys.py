"""What the keys do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple


class Action(NamedTuple):
    """What a key can do; ``keys`` are those that do it unless somebody binds others, by urwid's names."""

    name: str
    run: Callable[[], object]
    help: str
    keys: tuple[str, ...]


class Keys:
    """All actions by their names, and which of them each key does."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}
        self._bound: dict[str, Action] = {}

    def add(self, name: str, run: Callable[[], object], help: str, *keys: str) -> None:
        """Have an action that ``keys`` do."""
        action = self._actions[name] = Action(name, run, help, keys)
        self._bound.update(dict.fromkeys(keys, action))

    def __iter__(self) -> Iterator[Action]:
        return iter(self._actions.values())

    def __contains__(self, key: str) -> bool:
        """Whether ``key`` does anything."""
        return key in self._bound

    def press(self, key: str) -> None:
        """Do what ``key`` does."""
        self._bound[key].run()
