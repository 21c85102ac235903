"""Who may be called what: a login's name and password through twisted.cred's Portal, and how one gets an account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import time
from typing import Any, Final, Protocol

from twisted.cred.checkers import ANONYMOUS, AllowAnonymousAccess, ICredentialsChecker
from twisted.cred.credentials import Anonymous, ICredentials, IUsernamePassword, UsernamePassword
from twisted.cred.error import LoginFailed, UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface import Interface, implementer

from server.guesses import Guesses
from server.passwords import Passwords, checked
from server.refusals import Refused
from storage.accounts import WRONG
from storage.interface import Account, Auth, Login, Refusal, Register
from wire.names import fold

AT_ONCE: Final = 2  # passwords that are looked at
PATIENCE: Final = 30.0  # seconds for which one may wait for that

NOT_OFFERED: Final = "this server does not offer it"
NOT_IT: Final = "that is not the password of an account of that name"

Find = Callable[[str], Awaitable[Account | None]]


class NotLookedAt(UnauthorizedLogin):
    """Whether the password is the right one is not known; the text says why."""


class IPerson(Interface):
    """What a login gets of the Portal: an :class:`Account`, or None for one by a free name."""


class Guest(Protocol):
    """Who says to be somebody."""

    @property
    def is_gone(self) -> bool:
        """Whether nobody waits for an answer."""


class Claim(UsernamePassword):
    """``who`` says, from ``network``, to be ``user`` (folded)."""

    def __init__(self, user: str, password: str, who: Guest, network: str | None) -> None:
        super().__init__(user.encode(), password.encode())
        self.user = user
        self.secret = password
        self.who = who
        self.network = network


@implementer(IRealm)
class Realm:
    """The chat as twisted.cred sees it: whoever is let in has an account there, or none."""

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:  # noqa: ARG002, N803
        """Return the account that a :class:`Checker` has found."""
        return IPerson, None if avatarId is ANONYMOUS else avatarId, lambda: None


@implementer(ICredentialsChecker)
class Checker:
    """Compares a claim's password with the account's; where ``free``, a name without an account needs none.

    The order is that in which they came, but who has guessed wrong waits first. As many wrong ones as are looked at at
    once may still slip through before that.
    """

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, find: Find, passwords: Passwords, clock: IReactorTime, *, free: bool) -> None:
        self._find = find
        self._passwords = passwords
        self._clock = clock
        self._free = free
        self._guesses = Guesses(clock)
        self._turns = DeferredSemaphore(AT_ONCE)
        self._pauses: dict[Guest, Deferred[None]] = {}
        self._stopped = False

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        """Return the account, or ANONYMOUS for a name without one; errback UnauthorizedLogin."""
        return Deferred.fromCoroutine(self._checked(credentials))

    def forget(self, who: Guest) -> None:
        """Let ``who``, who is gone, wait no more."""
        if pause := self._pauses.get(who):
            pause.cancel()

    def stop(self) -> None:
        """Let nobody wait any more."""
        self._stopped = True
        for pause in list(self._pauses.values()):
            pause.cancel()

    async def _checked(self, claim: Claim) -> Any:
        until = self._clock.seconds() + PATIENCE
        while not self._stopped:
            await self._pause(claim, until)
            async with self._turns:
                if not (self._stopped or self._guesses.pause(claim.user, claim.network)):
                    return await self._compared(claim)
        raise NotLookedAt("the server is about to end; try again")

    async def _pause(self, claim: Claim, until: float) -> None:
        while not self._stopped and (seconds := self._guesses.pause(claim.user, claim.network)):
            if claim.who.is_gone or self._clock.seconds() + seconds > until:
                raise NotLookedAt("too many wrong passwords were tried; try again in a minute")
            self._pauses[claim.who] = deferLater(self._clock, seconds)
            with suppress(CancelledError):
                await self._pauses[claim.who]
            del self._pauses[claim.who]

    async def _compared(self, claim: Claim) -> Any:
        account = await self._find(claim.user)
        if account is None and self._free:
            return ANONYMOUS
        if not await self._passwords.match(claim.secret, account.password if account else None):
            self._guesses.wrong(claim.user, claim.network)
            raise UnauthorizedLogin
        self._guesses.right(claim.user, claim.network)
        return account


class Accounts:
    """Lets in who may be called so, by the rules of ``auth``, and gives accounts to who wants one.

    ``find`` looks an account up by its folded name, ``passwords`` knows their hashes; what is to be stored goes to
    ``store``.
    """

    def __init__(
        self,
        auth: Auth,
        find: Find,
        passwords: Passwords,
        store: Callable[[Register], Awaitable[Any]],
        clock: IReactorTime,
    ) -> None:
        self.auth = auth
        self._find = find
        self._passwords = passwords
        self._store = store
        self._checker = Checker(find, passwords, clock, free=auth is Auth.ACCOUNTS)
        self._portal = Portal(Realm())
        if auth is not Auth.OPEN:
            self._portal.registerChecker(self._checker)
        if auth is not Auth.CLOSED:
            self._portal.registerChecker(AllowAnonymousAccess())

    async def admit(self, who: Guest, name: str, password: str | None, network: str | None) -> Account | None:
        """Return the account of which ``who`` has shown the password, None for a name that is free as far as is known.

        Raises :class:`Refused`: ``auth_failed``, ``too_many`` for one that was not looked at, ``bad_frame``.
        """
        claim: ICredentials = Anonymous() if password is None else Claim(fold(name), checked(password), who, network)
        if self.auth is Auth.OPEN:
            claim = Anonymous()
        try:
            avatar: Any = await self._portal.login(claim, who, IPerson)
        except NotLookedAt as why:
            raise Refused("too_many", str(why)) from None
        except LoginFailed:
            raise Refused(WRONG.code, WRONG.text if password is None else NOT_IT) from None
        account: Account | None = avatar[1]
        return account

    async def register(self, who: Guest, login: Login, password: str, old: str | None, network: str | None) -> Account:
        """Give the name by which ``who`` is logged in an account, or change its password from ``old``.

        Raises :class:`Refused`.
        """
        if self.auth is Auth.OPEN:
            raise Refused("forbidden", NOT_OFFERED)
        account = await self._find(login.user)
        if account is not None and old is None:
            raise Refused("auth_failed", "that name has an account; its password is changed by who knows it")
        if account is not None:
            account = await self.admit(who, login.name, old, network)
        if not password:
            raise Refused("bad_frame", "an empty password is none")
        hash = await self._passwords.hash(checked(password))
        was = account.password if account else None
        outcome = await self._store(Register(login.name, hash, was, int(time() * 1000), number=login.number))
        if isinstance(outcome, Refusal):
            raise Refused(outcome.code, outcome.text)
        registered: Account = outcome
        return registered

    def forget(self, who: Guest) -> None:
        """Nobody waits for an answer to ``who`` any more."""
        self._checker.forget(who)

    def stop(self) -> None:
        """Let nobody wait any more."""
        self._checker.stop()
