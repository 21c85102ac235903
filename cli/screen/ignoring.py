"""People whom one does not want to hear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.screen.completion import last_word
from wire.names import BadName, canonical, fold

if TYPE_CHECKING:
    from cli.screen.talk import Talk


class Ignoring:
    """Hides for ``talk`` what some people say."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._conversation = talk.conversation
        talk.commands.add(
            "ignore", self._ignore, "hide what somebody says, or tell whose is hidden", "[NAME]", subject="talk"
        )
        talk.commands.add(
            "unignore", self._unignore, "hear somebody again", "NAME", last_word(self._ignored), subject="talk"
        )

    def _ignored(self) -> list[str]:
        return list(self._conversation.ignored.values())

    def _ignore(self, argument: str) -> None:
        if not argument.strip():
            names = ", ".join(sorted(self._ignored(), key=fold))
            self._talk.say(f"ignored: {names}; /unignore NAME hears one again" if names else "nobody is ignored")
        elif name := self._name(argument, "/ignore NAME"):
            if fold(name) == fold(self._conversation.user):
                self._talk.say("that is you")
                return
            self._conversation.ignore(name)
            self._talk.say(f"what {name} says is hidden from now on; /unignore {name} hears them again")

    def _unignore(self, argument: str) -> None:
        if name := self._name(argument, "/unignore NAME"):
            heard = self._conversation.unignore(name)
            self._talk.say(f"you hear {name} again" if heard else f"{name} is not ignored")

    def _name(self, argument: str, usage: str) -> str | None:
        try:
            return canonical(argument.strip().removeprefix("@"))
        except BadName as why:
            self._talk.say(f"{argument.strip() or 'that'} is nobody's name: {why}: {usage}")
            return None
