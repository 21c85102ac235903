"""Who is let in by a password, by which pauses, and how one gets an account: in time and threads of the test's own."""

from __future__ import annotations

from typing import Any

from twisted.cred.credentials import Anonymous
from twisted.cred.error import UnhandledCredentials
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import TestCase
from zope.interface import provider

from server import passwords
from server.accounts import AT_ONCE, PATIENCE, Checker, Claim, IPerson, Realm
from server.guesses import FREE
from server.passwords import Passwords, hashed
from storage.changes import Kicked, Registered
from storage.interface import Account, Auth, Batch, Outcome, Register, Role
from storage.order import Kind, Sanction
from tests.server.fakes import House, Peer
from wire import frames

SECRET = hashed("secret")
FAR = "10.0.0.2"


class AccountCase(TestCase):
    auth = Auth.ACCOUNTS

    def setUp(self) -> None:
        self.house = House(auth=self.auth)
        self.accounts = self.house.storage.accounts
        self.accounts.register(Register("ann", SECRET, None, 0))
        self.house.server.start()
        self.house.settle()

    def tries(self, user: str = "ann", address: str = "", **login: Any) -> Peer:
        """Return somebody who has said a login; the server has done what it can."""
        peer = Peer(self.house.server)
        peer.connection.network = address or peer.connection.network
        peer.says(frames.Login(user, **login))
        self.house.settle()
        return peer

    def code(self, peer: Peer) -> str | None:
        """Return what became of a login: ``welcome``, the code of the error, None while it waits."""
        if peer.heard(frames.Welcome):
            return "welcome"
        return next((error.code for error in peer.heard(frames.Error)), None)

    def assert_asked(self, peer: Peer, ref: int, code: str | None = None) -> None:
        """See that a question has ended well, or with an error of that code, which is not fatal."""
        self.house.settle()
        refused = [error for error in peer.heard(frames.Error) if error.ref == ref]
        done = [frame for frame in peer.heard(frames.Done) if frame.ref == ref]
        self.assertEqual(([error.code for error in refused], len(done)), ([code], 0) if code else ([], 1))
        self.assertFalse([error for error in refused if error.fatal is True])
        self.assertFalse(peer.connection._over)


class Logins(AccountCase):
    def test_a_password_is_asked_for(self) -> None:
        self.assertEqual(self.code(self.tries()), "auth_failed")
        self.assertEqual(self.code(self.tries(password="wrong")), "auth_failed")
        self.assertEqual(self.code(self.tries(password="")), "auth_failed")
        ann = self.tries("ANN", password="secret")
        self.assertEqual(self.code(ann), "welcome")
        self.assertEqual(ann.connection.account, Account("ann", Role.USER, 0))

    def test_who_shares_a_secret_is_asked_all_the_same(self) -> None:
        self.tries(password="secret", key="k", client="c")
        self.assertEqual(self.code(self.tries(key="k", client="c")), "auth_failed")

    def test_free_names_stay_free_whatever_password_they_say(self) -> None:
        for number, password in enumerate(("x", "", "secret", "\0")):
            bob = self.tries(f"bob{number}", password=password)
            self.assertEqual(self.code(bob), "welcome")
            self.assertIsNone(bob.connection.account)

    def test_of_a_ban_only_who_has_the_password_is_told(self) -> None:
        ban = Sanction(Kind.BAN, "ann", None, "what nobody else knows", "root", 0)
        self.house.storage.punished[ban.kind, ban.whom] = ban
        self.house.server.rules.reread()
        self.house.settle()
        for password in ({}, {"password": "wrong"}):
            [error] = self.tries(**password).heard(frames.Error)
            self.assertEqual((error.code, "nobody" in error.text), ("auth_failed", False))
        [error] = self.tries(password="secret", rooms={"new": 0}).heard(frames.Error)
        self.assertEqual((error.code, error.text), ("name_taken", "banned: what nobody else knows"))
        self.house.settle()
        self.assertEqual((self.house.server._users, self.house.storage.keys), ({}, {}))

    def test_a_nul_ends_no_password(self) -> None:
        self.accounts.register(Register("cy", hashed("a\0b"), None, 0))
        for password in ("a", "a\0", "a\0c", "\0"):
            self.assertEqual(self.code(self.tries("cy", password=password)), "auth_failed")
            self.house.clock.advance(20)
        self.assertEqual(self.code(self.tries("cy", password="a\0b")), "welcome")

    def test_one_letter_is_one_however_it_is_typed(self) -> None:
        self.accounts.register(Register("cy", hashed("caf\u00e9"), None, 0))
        self.assertEqual(self.code(self.tries("cy", password="cafe\u0301")), "welcome")

    def test_no_longer_one_than_the_protocol_says(self) -> None:
        self.accounts.register(Register("cy", hashed("\u00e9" * 512), None, 0))
        self.assertEqual(self.code(self.tries("cy", password="\u00e9" * 512)), "welcome")
        self.assertEqual(self.code(self.tries("cy", password="\u00e9" * 512 + "x")), "bad_frame")

    def test_a_hash_that_cannot_be_read_lets_nobody_in_and_is_told(self) -> None:
        self.accounts.register(Register("cy", "$argon2id$none", None, 0))
        self.assertEqual(self.code(self.tries("cy", password="x")), "auth_failed")
        self.assertEqual(len(self.flushLoggedErrors()), 1)

    def test_passwords_stand_in_no_log(self) -> None:
        lines: list[str] = []

        @provider(ILogObserver)
        def observe(event: LogEvent) -> None:
            lines.append(f"{formatEvent(event)} {event}")

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        self.tries(password="hunter2")
        self.tries(password="hunter2" * 1000)
        peer = self.tries(password="secret")
        peer.says(frames.Register("hunter2", 1, old="hunter3"))
        self.house.settle()
        self.assertTrue(lines)
        self.assertNotIn("hunter", "".join(lines))


class Pauses(AccountCase):
    def guess(self, count: int, user: str = "ann", address: str = "") -> list[Peer]:
        return [self.tries(user, address, password=f"guess {number}") for number in range(count)]

    def test_who_guesses_waits_longer_each_time(self) -> None:
        self.assertEqual({self.code(peer) for peer in self.guess(FREE + 1)}, {"auth_failed"})
        for pause in (1, 2, 4):
            [guess] = self.guess(1)
            self.house.clock.advance(pause - 0.1)
            self.house.settle()
            self.assertIsNone(self.code(guess))
            self.house.clock.advance(0.1)
            self.house.settle()
            self.assertEqual(self.code(guess), "auth_failed")

    def test_the_owner_elsewhere_is_let_in_at_once(self) -> None:
        self.guess(FREE + 5)
        self.assertEqual(self.code(self.tries(address=FAR, password="secret")), "welcome")

    def test_the_owner_who_mistyped_waits_but_is_let_in(self) -> None:
        self.guess(FREE + 1)
        owner = self.tries(password="secret")
        self.assertIsNone(self.code(owner))
        self.house.clock.advance(1)
        self.house.settle()
        self.assertEqual(self.code(owner), "welcome")

    def test_nobody_waits_for_long(self) -> None:
        self.guess(FREE + 6)
        waiting = self.guess(9)
        for _ in range(int(PATIENCE)):
            self.house.clock.advance(1)
            self.house.settle()
        codes = [self.code(guess) for guess in waiting]
        self.assertEqual(set(codes), {"auth_failed", "too_many"})
        self.assertEqual(self.code(self.tries(address=FAR, password="secret")), "welcome")

    def test_of_those_who_hung_up_none_waits(self) -> None:
        self.guess(FREE + 1)
        waiting = self.guess(9)
        for guess in waiting:
            guess.connection.connectionLost()
        self.house.settle()
        self.house.clock.advance(0)
        self.assertFalse({guess.connection for guess in waiting} & set(self.house.server.get_all()))

    def test_nor_one_who_hung_up_before(self) -> None:
        self.guess(FREE + 2)
        guess = Peer(self.house.server)
        guess.says(frames.Login("ann", password="guess"))
        guess.ends()
        self.house.settle()
        self.assertNotIn(guess.connection, self.house.server.get_all())

    def test_who_hung_up_is_let_in_where_nobody_guessed(self) -> None:
        ann = Peer(self.house.server)
        ann.says(frames.Login("ann", password="secret"))
        ann.says(frames.Send(1), b"and off")
        ann.ends()
        self.house.settle()
        self.assertEqual([message.text for message in self.house.storage.messages[1]], ["and off"])

    def test_what_is_compared_with_is_the_password_of_then(self) -> None:
        self.guess(FREE + 1)
        late = self.tries(password="secret")
        self.accounts.register(Register("ann", hashed("new"), SECRET, 0))
        self.house.clock.advance(1)
        self.house.settle()
        self.assertEqual(self.code(late), "auth_failed")

    def test_at_once_they_do_not_get_further(self) -> None:
        looked_at: list[str] = []
        match = Passwords.match

        def count(this: Passwords, password: str, hash: str | None) -> Deferred[bool]:
            looked_at.append(password)
            return match(this, password, hash)

        self.patch(Passwords, "match", count)
        peers = [Peer(self.house.server) for _ in range(40)]
        for number, peer in enumerate(peers):
            peer.says(frames.Login("ann", password=f"guess {number}"))
        self.house.settle()
        self.assertLessEqual(len(looked_at), FREE + AT_ONCE)
        self.assertGreaterEqual(len(looked_at), FREE)

    def test_who_hangs_up_waits_no_longer(self) -> None:
        self.guess(FREE + 1)
        [guess] = self.guess(1)
        self.assertEqual(len(self.house.server.get_all()), FREE + 2)
        guess.ends()
        self.house.settle()
        self.assertNotIn(guess.connection, self.house.server.get_all())

    def test_a_shutdown_waits_for_no_pause(self) -> None:
        self.guess(FREE + 3)
        [guess] = self.guess(1)
        stopped = Deferred.fromCoroutine(self.house.server.stop())
        self.house.settle()
        self.assertEqual(self.code(guess), "too_many")  # whether it was the right one nobody knows
        self.house.clock.advance(0.1)
        for peer in self.house.server.get_all():
            peer.connectionLost()
        self.house.settle()
        self.assertTrue(self.successResultOf(stopped))


class Registers(AccountCase):
    def register(self, peer: Peer, ref: int, password: str = "new", **fields: Any) -> None:
        peer.says(frames.Register(password, ref, **fields))

    def test_from_then_on_the_name_needs_its_password(self) -> None:
        bob = self.tries("bob", key="k")
        also = self.tries("bob", key="k")
        self.register(bob, 1)
        self.assert_asked(bob, 1)
        for peer in (bob, also):
            self.assertEqual(peer.connection.account and peer.connection.account.name, "bob")
        self.assertEqual(self.code(self.tries("bob", key="k")), "auth_failed")
        self.assertEqual(self.code(self.tries("bob", password="new")), "welcome")

    def test_it_is_changed_by_who_knows_it(self) -> None:
        ann = self.tries(password="secret")
        for ref, old in enumerate(({}, {"old": ""}, {"old": "wrong"}), 1):
            self.register(ann, ref, **old)
            self.assert_asked(ann, ref, "auth_failed")
        self.register(ann, 4, old="secret")
        self.assert_asked(ann, 4)
        self.assertEqual(self.code(self.tries(address=FAR, password="secret")), "auth_failed")
        self.assertEqual(self.code(self.tries(address="10.0.0.3", password="new")), "welcome")

    def test_the_old_one_is_guessed_no_faster_than_at_the_door(self) -> None:
        ann = self.tries(password="secret")
        for ref in range(FREE + 1):
            self.register(ann, ref, old="wrong")
            self.assert_asked(ann, ref, "auth_failed")
        self.register(ann, 9, old="secret")
        self.house.settle()
        self.assertFalse(ann.heard(frames.Done))
        self.house.clock.advance(1)
        self.assert_asked(ann, 9)

    def test_what_is_too_long_is_not_even_looked_at(self) -> None:
        looked_at: list[object] = []
        self.patch(Passwords, "match", lambda *arguments: looked_at.append(arguments))
        ann = self.tries()
        ann = self.house.peer("bob")
        self.accounts.register(Register("bob", SECRET, None, 0))
        self.register(ann, 1, old="\u0345\u0334" * 15_000)
        self.assert_asked(ann, 1, "bad_frame")
        self.assertEqual(looked_at, [])

    def test_it_is_for_who_has_the_name(self) -> None:
        bob = self.tries("bob")
        login = bob.connection.login
        entries: list[Any] = []
        commit = self.house.server.journal.commit

        def noted(batch: Batch) -> list[Outcome]:
            entries.extend(batch.entries)
            return commit(batch)

        self.patch(self.house.server.journal, "commit", noted)
        self.register(bob, 1)
        self.assert_asked(bob, 1)
        [number] = [entry.number for entry in entries if isinstance(entry, Register)]
        self.assertEqual(number, login and login.number)

    def test_what_is_no_password(self) -> None:
        bob = self.tries("bob")
        self.register(bob, 1, "")
        self.assert_asked(bob, 1, "bad_frame")
        self.register(bob, 2, "x" * 1025)
        self.assert_asked(bob, 2, "bad_frame")
        self.register(bob, 3, "x" * 1024)
        self.assert_asked(bob, 3)

    def test_a_name_that_looks_like_an_account(self) -> None:
        self.accounts.unregister("ann")
        alike = self.tries("\u0430nn")
        self.accounts.register(Register("ann", SECRET, None, 0))
        self.register(alike, 1)
        self.assert_asked(alike, 1, "name_taken")
        self.assertEqual(self.code(self.tries("\u0430nn")), "name_taken")

    def test_quit_waits_for_it(self) -> None:
        bob = self.tries("bob")
        self.register(bob, 1)
        bob.says(frames.Quit())
        self.house.settle()
        self.assertEqual([type(frame) for frame, _ in bob.frames[-2:]], [frames.Done, frames.Bye])

    def test_another_server_says_so(self) -> None:
        bob = self.tries("bob")
        self.house.server.hear(2, Registered("bob", "operator", 7))
        self.assertEqual(bob.connection.account, Account("bob", Role.OPERATOR, 7))
        self.house.server.hear(2, Kicked("bob"))
        self.house.settle()
        self.assertEqual(bob.heard(frames.Bye)[-1].reason, "kicked")

    def test_a_login_that_is_being_stored_is_kicked_too(self) -> None:
        peer = Peer(self.house.server)
        peer.says(frames.Login("ann", password="secret"))
        journal = self.house.server.journal
        while not journal.busy:
            self.house.steps.step()
            self.house.clock.advance(0)
        self.house.server.hear(2, Kicked("ann", spared=b"another"))
        self.house.settle()
        self.assertEqual(self.code(peer), "forbidden")

    def kick(self) -> None:
        """The server hears, late, that the account has changed."""
        account = self.accounts.of("ann")
        self.house.server.hear(2, Kicked("ann", spared=account.mark if account else b""))
        self.house.settle()

    def test_a_new_password_sends_only_those_away_who_know_the_old_one(self) -> None:
        old = self.tries(password="secret")
        self.accounts.register(Register("ann", hashed("new"), SECRET, 0))
        new = self.tries(password="new")
        self.kick()
        self.assertEqual([len(peer.heard(frames.Bye)) for peer in (old, new)], [1, 0])

    def test_a_new_role_sends_only_those_away_who_have_the_old_one(self) -> None:
        old = self.tries(password="secret")
        self.accounts.register(Register("ann", SECRET, SECRET, 0, Role.OPERATOR))
        new = self.tries(password="secret")
        self.kick()
        self.assertEqual([len(peer.heard(frames.Bye)) for peer in (old, new)], [1, 0])

    def test_who_took_a_name_once_it_was_free_stays(self) -> None:
        old = self.tries(password="secret")
        self.accounts.unregister("ann")
        old.ends()
        self.house.settle()
        new = self.tries()
        self.kick()
        self.assertEqual((self.code(new), new.heard(frames.Bye)), ("welcome", []))


class Open(AccountCase):
    auth = Auth.OPEN

    def test_accounts_do_not_exist(self) -> None:
        ann = self.tries(password="wrong")
        self.assertEqual(self.code(ann), "welcome")
        self.assertIsNone(ann.connection.account)
        ann.says(frames.Register("new", 1))
        self.assert_asked(ann, 1, "forbidden")


class Closed(AccountCase):
    auth = Auth.CLOSED

    def test_one_voice_for_all_that_is_wrong(self) -> None:
        for password in ({}, {"password": "x"}):
            said = set()
            for user in ("ann", "bob", "\u0430nn"):
                [error] = self.tries(user, **password).heard(frames.Error)
                said.add((error.code, error.text, error.fatal))
            self.assertEqual(len(said), 1)
            self.assertEqual(said.pop()[0], "auth_failed")
        self.assertEqual(self.code(self.tries(password="secret")), "welcome")

    def test_an_unknown_name_costs_as_much(self) -> None:
        compared: list[str] = []
        verify = passwords._HASHER.verify

        def count(hash: str, password: bytes) -> bool:
            compared.append(hash.rpartition("$")[0].rpartition("$")[0])
            return verify(hash, password)

        self.patch(type(passwords._HASHER), "verify", lambda _, *arguments: count(*arguments))
        self.tries("ann", password="x")
        self.tries("bob", password="x")
        self.assertEqual(len(compared), 2)
        self.assertEqual(len(set(compared)), 1)  # by the same parameters

    def test_unknown_names_are_guessed_no_faster(self) -> None:
        for _ in range(FREE + 1):
            self.assertEqual(self.code(self.tries("bob", password="x")), "auth_failed")
        self.assertIsNone(self.code(self.tries("bob", password="x")))


class Portals(TestCase):
    """What twisted.cred asks of its parts."""

    def setUp(self) -> None:
        self.house = House(auth=Auth.CLOSED)
        self.house.storage.accounts.register(Register("ann", SECRET, None, 0))
        find = self.house.server.stored.account
        self.portal = Portal(Realm())
        self.portal.registerChecker(Checker(find, Passwords(self.house.steps), self.house.clock, free=False))

    def test_an_avatar_is_an_account(self) -> None:
        login: Any = self.portal.login(Claim("ann", "secret", Peer(self.house.server).connection, None), None, IPerson)
        self.house.settle()
        interface, account, logout = self.successResultOf(login)
        self.assertEqual((interface, account), (IPerson, Account("ann", Role.USER, 0)))
        logout()

    def test_nobody_is_anonymous_unless_it_is_allowed(self) -> None:
        self.failureResultOf(self.portal.login(Anonymous(), None, IPerson), UnhandledCredentials)
