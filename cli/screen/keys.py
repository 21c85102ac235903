"""What the keys do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from cli.screen.keynames import BadKey, shown
from cli.words import meant


class Action(NamedTuple):
    """What a key can do; ``keys`` are those that do it unless somebody binds others, by urwid's names.

    Several pressed one after the other are written with a space: ``ctrl x ctrl e``.
    """

    name: str
    run: Callable[[], object]
    help: str
    keys: tuple[str, ...] = ()


class Keys:
    """All actions by their names, and which of them each key does."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}
        self._own: dict[str, Action] = {}  # what they do by themselves
        self._bound: dict[str, Action] = {}  # what they do now
        self._pressed = ""  # what may be the beginning of several

    def add(self, name: str, run: Callable[[], object], help: str, *keys: str) -> None:
        """Have an action that ``keys`` do."""
        action = self._actions[name] = Action(name, run, help, keys)
        self._own.update(dict.fromkeys(keys, action))
        self._bound.update(dict.fromkeys(keys, action))

    def __iter__(self) -> Iterator[Action]:
        return iter(self._actions.values())

    def get(self, name: str) -> Action:
        """Return the action of that name; raises :class:`BadKey` where there is none."""
        if name not in self._actions:
            raise BadKey(f"there is no {name}; {meant(name, self._actions, '/keys lists what keys can do')}")
        return self._actions[name]

    def bound(self, keys: str) -> Action | None:
        """Return what ``keys`` do now."""
        return self._bound.get(keys)

    def own(self, keys: str) -> Action | None:
        """Return what ``keys`` do unless somebody binds them."""
        return self._own.get(keys)

    def of(self, action: Action) -> list[str]:
        """Return the keys that do ``action`` now."""
        return [keys for keys, bound in self._bound.items() if bound is action]

    def others(self) -> Iterator[tuple[str, Action]]:
        """Yield the keys that do something which is no action of its own name, and what."""
        return ((keys, bound) for keys, bound in self._bound.items() if self._actions.get(bound.name) is not bound)

    def bind(self, keys: str, action: Action | None) -> None:
        """Have ``keys`` do ``action`` from now on, or nothing; raises :class:`BadKey` where others stand in the way."""
        if action is not None:
            for there in self._bound:
                if there.startswith(f"{keys} ") or keys.startswith(f"{there} "):
                    raise BadKey(f"{shown(there)} is bound too, and one begins the other; /unbind {shown(there)} first")
            self._bound[keys] = action
        else:
            self._bound.pop(keys, None)

    def has(self, name: str) -> bool:
        """Return whether there is an action of that name."""
        return name in self._actions

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
