"""Accounts in the database: who gets one, and what they decide at a login."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from storage import (
    Account,
    Auth,
    LoggedIn,
    Login,
    Logout,
    Outcome,
    Refusal,
    Register,
    Return,
    Role,
    Storage,
    Unregister,
)
from storage.changes import Kicked, Registered, Ruled
from tests.mysql import MySQL
from tests.storage.databases import Cases, Journal, OnMariaDB, OnSQLite

NOW = 1_764_000_000_000


def register(name: str, password: str = "new", old: str | None = None, **fields: Any) -> Register:
    return Register(name, password, old, NOW, **fields)


class Accounts(Cases):
    def setUp(self) -> None:
        super().setUp()
        self.journal = Journal(self.open())
        self.numbers = iter(range(1, 1000))

    def code(self, outcome: Outcome) -> str:
        """Return why something was refused, empty where it was not."""
        return outcome.code if isinstance(outcome, Refusal) else ""

    def registered(self, name: str, **fields: Any) -> Account:
        [account] = self.journal.commit(register(name, **fields))
        assert isinstance(account, Account), account
        return account

    def log_in(self, name: str, auth: Auth = Auth.ACCOUNTS, account: Account | None = None, **fields: Any) -> Outcome:
        login = Login(name, None, fields.pop("key", None), next(self.numbers), False, auth, account)
        [outcome] = self.journal.storage.commit(self.journal.batch(login))
        return outcome

    def test_it_is_kept(self) -> None:
        account = self.registered("Ann", role=Role.OPERATOR)
        self.assertEqual(account, Account("Ann", Role.OPERATOR, NOW))
        found = self.open().account("ann")
        self.assertEqual((found, found and found.password), (account, "new"))
        self.assertIsNone(self.open().account("bob"))
        self.registered("aa")
        self.assertEqual([account.name for account in self.open().accounts()], ["aa", "Ann"])

    def test_a_hash_is_shown_to_nobody(self) -> None:
        self.assertNotIn(
            "secret", repr([self.registered("ann", password="secret"), register("ann", "secret", "secret")])
        )

    def test_the_password_changes_only_from_the_one_until_now(self) -> None:
        self.registered("ann", password="one", role=Role.OPERATOR)
        [none, wrong] = self.journal.commit(register("ANN", "two"), register("ann", "two", "zero"))
        self.assertEqual([self.code(none), self.code(wrong)], ["auth_failed", "auth_failed"])
        account = self.registered("ANN", password="two", old="one")
        self.assertEqual(account, Account("ann", Role.OPERATOR, NOW))
        self.assertEqual(account.password, "two")
        [gone] = self.journal.commit(register("bob", "two", "one"))
        self.assertEqual(self.code(gone), "auth_failed")

    def test_an_account_is_removed(self) -> None:
        self.registered("ann")
        self.assertEqual(self.journal.commit(Unregister("ANN"), Unregister("ann")), [True, False])
        self.assertEqual(self.open().accounts(), [])
        self.registered("\u0430nn")  # the look is free again too

    def test_look_alikes_have_no_accounts(self) -> None:
        self.registered("ann")
        [alike, other] = self.journal.commit(register("\u0430nn"), register("anna"))
        self.assertEqual([self.code(alike), self.code(other)], ["name_taken", ""])
        self.assertIn("looks like ann", str(alike))
        [first, second] = self.journal.commit(register("b0b"), register("bob"))  # in one batch
        self.assertEqual([self.code(first), self.code(second)], ["", "name_taken"])

    def test_a_name_with_an_account_needs_its_password(self) -> None:
        ann = self.registered("Ann")
        self.assertEqual(self.code(self.log_in("ann")), "auth_failed")
        let_in = self.log_in("ANN", account=ann)
        assert isinstance(let_in, LoggedIn)
        self.assertEqual((let_in.name, let_in.account), ("Ann", ann))
        self.assertEqual(self.code(self.log_in("\u0430nn")), "name_taken")
        self.assertIsInstance(self.log_in("bob"), LoggedIn)

    def test_who_shows_the_password_may_be_called_so_whoever_else_is(self) -> None:
        self.assertIsInstance(self.log_in("ann", key=b"1" * 32), LoggedIn)
        self.assertEqual(self.code(self.log_in("ann", key=b"2" * 32)), "name_taken")
        ann = self.registered("ann")
        self.assertIsInstance(self.log_in("ann", account=ann, key=b"2" * 32), LoggedIn)
        self.assertEqual(self.code(self.log_in("ann", key=b"1" * 32)), "auth_failed")

    def test_open_does_not_ask(self) -> None:
        self.registered("ann")
        self.assertIsInstance(self.log_in("ann", Auth.OPEN), LoggedIn)
        self.assertIsInstance(self.log_in("\u0430nn", Auth.OPEN), LoggedIn)

    def test_closed_is_for_accounts_and_says_no_more(self) -> None:
        ann = self.registered("ann")
        refused = [self.log_in(name, Auth.CLOSED) for name in ("ann", "\u0430nn", "bob")]
        self.assertEqual({self.code(each) for each in refused}, {"auth_failed"})
        self.assertEqual(len(set(map(str, refused))), 1)
        self.assertIsInstance(self.log_in("ann", Auth.CLOSED, ann), LoggedIn)

    def test_what_was_shown_holds_for_that_account_only(self) -> None:
        ann = self.registered("ann")
        self.journal.commit(Unregister("ann"))
        refused = [self.log_in("ann", auth, ann) for auth in (Auth.CLOSED, Auth.ACCOUNTS)]
        self.assertEqual([self.code(each) for each in refused], ["auth_failed", "auth_failed"])
        self.journal.commit(replace(register("ann"), at=NOW + 1))
        self.assertEqual(self.code(self.log_in("ann", account=ann)), "auth_failed")

    def test_the_password_is_the_one_of_then(self) -> None:
        ann = self.registered("ann", password="one")
        self.registered("ann", password="two", old="one")
        for auth in (Auth.CLOSED, Auth.ACCOUNTS):
            self.assertEqual(self.code(self.log_in("ann", auth, ann)), "auth_failed")
        there = Login("ann", None, None, 1, False, Auth.ACCOUNTS, ann)
        self.assertEqual(self.journal.commit(Return([(there, 0)])), [{}])  # who was let in before stays

    def test_the_name_is_still_had_by_who_wants_an_account(self) -> None:
        let_in = [self.log_in(name, key=b"1" * 32) for name in ("ann", "bob", "cy")]
        self.assertEqual({type(each) for each in let_in}, {LoggedIn})
        self.journal.commit(Logout(1))
        gone = replace(register("ann"), number=1)
        going = replace(register("bob"), number=2)
        outcomes = self.journal.commit(gone, Logout(2), going, replace(register("cy"), number=3))
        self.assertEqual([self.code(each) for each in outcomes], ["auth_failed", "", "auth_failed", ""])
        self.assertEqual([account.name for account in self.open().accounts()], ["cy"])

    def test_who_is_put_back_is_asked_again(self) -> None:
        ann, bob = (Login(name, None, None, number, auth=Auth.ACCOUNTS) for number, name in enumerate(("ann", "bob")))
        cy = Login("cy", None, None, 2, False, Auth.ACCOUNTS, self.registered("cy"))
        self.registered("ann")  # while this server was taken for dead
        self.assertEqual(self.journal.commit(Return([(ann, 0), (bob, 0), (cy, 0)])), [{0: "auth_failed"}])

    def test_other_servers_hear_of_it(self) -> None:
        self.registered("Ann")
        changed = self.registered("ann", old="new", go=True)
        self.journal.commit(Unregister("ann"), Unregister("ann"))
        neighbours = self.journal.storage.neighbours
        told = [change for _, change in neighbours.changes(neighbours.own, 0)]
        kicks = [Kicked("ann", spared=spared) for spared in (changed.mark, b"")]
        self.assertEqual(told, [Registered("Ann", "user", NOW), *kicks, Ruled()])


class AccountsOfSQLite(Accounts, OnSQLite):
    pass


class AccountsOfMariaDB(Accounts, OnMariaDB):
    def test_of_two_who_look_alike_one_gets_it_on_two_servers_at_once(self) -> None:
        def run(server: tuple[Storage, str]) -> list[str]:
            journal = Journal(server[0])
            return [self.code(journal.commit(register(f"{server[1]}{number}"))[0]) for number in range(30)]

        with ThreadPoolExecutor(2) as threads:
            ours, theirs = threads.map(run, [(self.open(), "ann"), (self.open(), "\u0430nn")])
        self.assertEqual(
            [{first, second} for first, second in zip(ours, theirs, strict=True)], [{"", "name_taken"}] * 30
        )


class AccountsOfMySQL(AccountsOfMariaDB):
    kind = MySQL
