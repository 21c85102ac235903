"""What a client is told when something cannot be: each with a text for a person."""

from __future__ import annotations

from typing import Final

from twisted.internet.error import ConnectionLost

UNTRUSTED: Final = "untrusted"  # our own code: the server did not show that it is who it should be


class Refused(Exception):
    """The server will not do it: ``code`` is one of the protocol's, ``text`` is for a person."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text or code)
        self.code = code
        self.text = text or code


class LoginRefused(Refused):
    """The server will not let this user in; or it is :data:`UNTRUSTED`, and we will not let it know who we are."""


class SendRefused(Refused):
    """The message will not be stored."""


class AskRefused(Refused):
    """The question will not be answered."""


class ClientClosed(Exception):
    """The client has ended; the text says why, and is empty where its own ``close`` ended it."""


UNANSWERED: Final = (AskRefused, ConnectionLost, ClientClosed)  # what a question may end with in place of an answer


def why(wrong: BaseException | None) -> str:
    """Return for a person why a question was not answered."""
    if isinstance(wrong, ConnectionLost):
        return "there is no connection; try again once it is live"
    return str(wrong) or "the connection is closed"
