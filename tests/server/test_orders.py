"""What ``run`` does, for whom, and what is felt of it."""

from __future__ import annotations

from typing import Any

from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import TestCase
from zope.interface import provider

from server import rules as rules_module
from server.addresses import Addresses
from server.orders.order import Standing
from server.orders.running import LINES, ORDERS
from server.refusals import Refused
from storage.changes import Kicked, Ruled
from storage.interface import Batch, Login, Outcome, Role
from storage.order import Act, Close, Impose, Invite, Kind, Sanction
from tests.server.fakes import House, Members, Peer
from wire import frames

HERE = "192.168.1.1"  # where the peers are

UNTIL = "until 2025-11-24 18:00 UTC"


class OrdersCase(TestCase):
    def setUp(self) -> None:
        self.house = Members()
        self.rules = self.house.server.rules
        self.root = self.account("root", Role.OPERATOR)
        self.ann, self.bob = self.account("ann"), self.account("bob")

    def account(self, name: str, role: Role = Role.USER, **login: Any) -> Peer:
        return self.house.member(name, role, host=HERE, **login)

    def run_line(self, peer: Peer, line: str, **fields: Any) -> str:
        """Return the answer: the text, or the code of the error."""
        before = len(peer.frames)
        peer.says(frames.Run(line, 9, **fields))
        self.house.settle()
        answers = [(frame, body) for frame, body in peer.frames[before:] if getattr(frame, "ref", None) == 9]
        last = answers[-1][0]
        return last.code if isinstance(last, frames.Error) else "\n".join(body.decode() for _, body in answers[:-1])

    def send(self, peer: Peer, text: str, room: str = "lobby") -> str:
        """Return ``ack``, or the code of the error."""
        seq = peer.connection.sending.received + 1
        peer.says(frames.Send(seq, room=room), text.encode())
        self.house.settle()
        [answer] = [frame for frame, _ in peer.frames if getattr(frame, "seq", None) == seq]
        return answer.code if isinstance(answer, frames.Error) else "ack"

    def ended(self, peer: Peer) -> list[str]:
        """Return how it ended: the texts of errors without a question, and the reasons of a bye."""
        self.house.settle()
        return [
            frame.reason if isinstance(frame, frames.Bye) else frame.text
            for frame, _ in peer.frames
            if isinstance(frame, frames.Bye) or (isinstance(frame, frames.Error) and not isinstance(frame.ref, int))
        ]

    def refused(self, name: str) -> str:
        """Return the text by which a login is refused; empty where it is let in."""
        peer = self.house.peer(name, host=HERE)
        return "".join(error.text for error in peer.heard(frames.Error) if error.fatal is True)


class RunningTests(OrdersCase):
    def test_help_lists_what_the_asker_may_run(self) -> None:
        guest = self.house.peer("guest")
        self.assertEqual(self.run_line(guest, "help").split()[0], "help")
        self.assertEqual(len(self.run_line(guest, "help").splitlines()), 1)
        users = {line.split()[0] for line in self.run_line(self.ann, "help").splitlines()}
        self.assertEqual(users, {"help", "delete", "private", "public", "invite", "uninvite", "invited"})
        operators = {line.split()[0] for line in self.run_line(self.root, "help").splitlines()}
        self.assertEqual(operators, set(ORDERS))
        self.assertIn("kick NAME [REASON] — end all", self.run_line(self.root, "help kick"))

    def test_what_one_may_not_run_is_told_for_whom_it_is(self) -> None:
        guest = self.house.peer("guest")
        for order in ORDERS.values():
            for peer, standing in ((guest, Standing.GUEST), (self.ann, Standing.ACCOUNT)):
                if order.standing > standing:
                    self.assertEqual(self.run_line(peer, f"{order.name} bob"), "forbidden", order.name)
        texts = {error.text for error in guest.heard(frames.Error)}
        self.assertIn("kick is for operators", texts)
        self.assertIn("delete is for who has an account, and register makes your name one", texts)
        self.assertEqual(self.run_line(guest, "help kick"), "forbidden")
        self.assertEqual(self.run_line(guest, "nonsense"), "bad_frame")
        self.assertEqual(self.house.storage.acts, [])

    def test_wrong_words_are_told_the_right_ones(self) -> None:
        for line in ("kick", "ban", "mute", "unban", "unmute", "delete", "delete x", "delete ٣", "audit x", "invite"):
            room = "den" if line == "invite" else "lobby"
            self.root.says(frames.Join(room))
            self.house.settle()
            self.assertEqual(self.run_line(self.root, line, room=room), "bad_frame", line)
        self.assertTrue(all(error.text.startswith("usage: ") for error in self.root.heard(frames.Error)))
        self.assertEqual(self.run_line(self.root, "kick @@x"), "bad_name")
        self.assertEqual(self.run_line(self.root, "kick bob " + "x" * 201), "bad_frame")
        self.assertEqual(self.run_line(self.root, "  KICK   nobody  "), "nobody is not here")
        self.assertEqual(self.run_line(self.root, ""), "bad_frame")

    def test_nobody_does_it_to_themselves(self) -> None:
        for line in ("kick root", "ban ROOT", "mute root", f"ban {HERE}", "ban 0.0.0.0/0"):
            self.assertEqual(self.run_line(self.root, line), "forbidden", line)
        self.assertEqual(self.ended(self.root), [])

    def test_a_server_without_accounts_offers_none_of_it(self) -> None:
        house = House()
        ann = house.peer("ann")
        ann.says(frames.Run("help", 9))
        house.settle()
        self.assertEqual([error.code for error in ann.heard(frames.Error)], ["forbidden"])

    def test_a_long_answer_comes_in_several_frames(self) -> None:
        self.house.storage.acts += [Act(at, "root", "kick", "x" * 96, "", "\u1234" * 200) for at in range(100)]
        before = len(self.root.heard(frames.Text))
        answer = self.run_line(self.root, "audit 100")
        self.assertEqual(len(answer.splitlines()), 100)
        self.assertEqual(len(self.root.heard(frames.Text)) - before, 100 // LINES)


class PaceTests(OrdersCase):
    """What any account may order costs others nothing, however often it does."""

    def setUp(self) -> None:
        super().setUp()
        self.house.server.addresses = Addresses(self.house.clock, 10, 2)
        self.ann.says(frames.Join("den"))
        self.house.settle()

    def ordered(self, *lines: str) -> list[str]:
        """Return the answers that ann, who may do two things a minute, has got so far."""
        for ref, line in enumerate(lines):
            self.ann.says(frames.Run(line, ref, room="den"))
            self.house.settle()
        return [body.decode() for frame, body in self.ann.frames if isinstance(frame, frames.Text)]

    def test_what_an_account_orders_counts_as_logins_do(self) -> None:
        self.assertEqual(len(self.ordered("private", "invite bob", "uninvite bob")), 2)
        self.house.clock.advance(30)
        self.house.settle()
        self.assertEqual(len(self.ordered()), 3)

    def test_so_does_what_it_deletes(self) -> None:
        for text in ("one", "two", "three"):
            self.send(self.ann, text)
        for id in (1, 2, 3):
            self.ann.says(frames.Delete(id, id))
            self.house.settle()
        self.assertEqual([frame.id for frame in self.bob.heard(frames.Deleted)], [1, 2])
        self.house.clock.advance(30)
        self.house.settle()
        self.assertEqual([frame.id for frame in self.bob.heard(frames.Deleted)], [1, 2, 3])

    def test_operators_do_as_they_like(self) -> None:
        for _ in range(5):
            self.assertEqual(self.run_line(self.root, "mute bob"), "bob is muted for good")

    def test_what_is_ordered_in_a_room_is_looked_at_by_nobody_else(self) -> None:
        looked: list[str] = []
        self.patch(self.rules, "check_user", looked.append)
        lets = self.rules.lets
        self.patch(self.rules, "lets", lambda account, room: looked.append(room) or lets(account, room))  # type: ignore[func-returns-value]
        self.ordered("private")
        self.assertNotIn("bob", looked)
        self.assertLessEqual(looked.count("lobby"), 1)  # where ann is too


class OneByOneTests(OrdersCase):
    """However much a user orders at once, a commit has one order of it at the most."""

    def setUp(self) -> None:
        super().setUp()
        self.batches: list[list[str]] = []
        journal = self.house.server.journal
        commit = journal.commit

        def noted(batch: Batch) -> list[Outcome]:
            self.batches.append([type(entry).__name__ for entry in batch.entries])
            return commit(batch)

        self.patch(journal, "commit", noted)

    def most(self, kind: str) -> int:
        """Return how many of a kind one commit had at the most."""
        return max(batch.count(kind) for batch in self.batches)

    def test_what_it_deletes(self) -> None:
        second = self.account("ann")
        for _ in range(8):
            self.send(self.ann, "x")
        for id in range(1, 9):
            peer = second if id % 2 else self.ann
            peer.says(frames.Delete(id, id))
        self.house.settle()
        self.assertEqual([frame.id for frame in self.bob.heard(frames.Deleted)], [1, 2, 3, 4, 5, 6, 7, 8])
        self.assertEqual(self.most("Delete"), 1)

    def test_what_it_runs(self) -> None:
        for ref in range(8):
            self.root.says(frames.Run(("mute bob", "unmute bob")[ref % 2], ref))
        self.house.settle()
        self.assertEqual([done.ref for done in self.root.heard(frames.Done)], list(range(8)))
        self.assertEqual(self.most("Ruling"), 1)

    def test_others_do_not_wait_for_it(self) -> None:
        for peer in (self.ann, self.bob):
            self.send(peer, "x")
        for id, peer in enumerate((self.ann, self.bob), 1):
            peer.says(frames.Delete(id, 1))
        self.house.settle()
        self.assertEqual(self.most("Delete"), 2)

    def test_one_that_ends_at_once_when_its_turn_has_come(self) -> None:
        for ref, line in enumerate(("mute bob", "mute", "help")):
            self.root.says(frames.Run(line, ref))
        self.house.settle()
        self.assertEqual([error.code for error in self.root.heard(frames.Error)], ["bad_frame"])
        self.assertEqual({done.ref for done in self.root.heard(frames.Done)}, {0, 2})
        self.assertEqual(self.house.server.one_by_one._turns, {})

    def test_one_that_is_refused_holds_up_nothing(self) -> None:
        self.assertEqual(self.run_line(self.ann, "kick bob"), "forbidden")
        self.assertEqual(self.run_line(self.ann, "kick bob"), "forbidden")
        self.assertEqual(self.house.server.one_by_one._turns, {})  # nothing is kept of who has nothing to do


class KickingTests(OrdersCase):
    def test_all_connections_of_a_user_end(self) -> None:
        second = self.account("bob")
        self.assertEqual(self.run_line(self.root, "kick Bob be  nice"), "Bob is kicked")
        for peer in (self.bob, second):
            self.assertEqual(self.ended(peer), ["kicked: be nice", "kicked"])
        self.assertEqual(self.ended(self.ann), [])
        self.assertEqual(self.refused("cy"), "")
        self.assertEqual(self.ended(self.account("bob")), [])

    def test_it_is_noted(self) -> None:
        self.run_line(self.root, "kick bob be nice")
        [act] = self.house.storage.acts
        self.assertEqual((act.by, act.order, act.whom, act.reason), ("root", "kick", "bob", "be nice"))
        self.assertIn("root: kick bob: be nice", self.run_line(self.root, "audit"))

    def test_an_end_and_a_reason_are_noted_apart(self) -> None:
        self.patch(self.house.server, "now", lambda: 1_764_000_000_000)
        for line in ("mute bob for 2h hush", "mute bob hush", "mute bob for 2h", "mute bob"):
            self.run_line(self.root, line)
        notes = [act.reason for act in self.house.storage.acts]
        self.assertEqual(notes, [f"{UNTIL}: hush", "hush", UNTIL, ""])

    def test_a_time_is_written_as_people_do(self) -> None:
        self.patch(self.house.server, "now", lambda: 1_764_000_000_000)
        for time in ("for 2h", "for 120 m", "FOR 120 min", "for 120 Minutes", "for 02 hours"):
            self.assertEqual(self.run_line(self.root, f"mute bob {time}"), f"bob is muted {UNTIL}", time)
        for time in ("for 2 years", "for 2", "for 2hx", "for 99999h", "for 0m", "for", "2h", "2 days spam"):
            self.assertEqual(self.run_line(self.root, f"mute bob {time}"), "bad_frame", time)  # is not meant for good
        for reason in ("2 many words", "formal", "4ever"):
            self.assertEqual(self.run_line(self.root, f"mute bob {reason}"), "bob is muted for good", reason)


class BanningTests(OrdersCase):
    def test_a_user_goes_and_does_not_come_back(self) -> None:
        self.assertEqual(self.run_line(self.root, "ban eve spam"), "eve is banned for good")
        self.assertEqual(self.refused("EVE"), "banned: spam")
        eve = self.house.peer("mallory")
        self.run_line(self.root, "ban Mallory")
        self.assertEqual(self.ended(eve), ["banned", "kicked"])
        self.assertEqual(self.run_line(self.root, "bans"), "eve: spam (by root)\nmallory (by root)")
        self.assertEqual(self.run_line(self.root, "unban Eve"), "the ban of eve is lifted")
        self.assertEqual(self.refused("eve"), "")
        self.assertEqual(self.run_line(self.root, "unban eve"), "there is no ban of eve")

    def test_who_is_on_the_way_out_elsewhere_is_told_of_the_ban(self) -> None:
        self.house.storage.logins[99] = Login("eve", None, b"of another server", 99)
        self.run_line(self.root, "ban eve spam")
        self.assertEqual(self.refused("eve"), "banned: spam")

    def test_a_ban_has_an_end(self) -> None:
        now = [1_764_000_000.0]
        self.patch(rules_module, "time", lambda: now[0])
        self.patch(self.house.server, "now", lambda: int(now[0] * 1000))
        self.assertEqual(self.run_line(self.root, "ban eve for 2h spam"), "eve is banned until 2025-11-24 18:00 UTC")
        self.assertEqual(self.refused("eve"), "banned until 2025-11-24 18:00 UTC: spam")
        now[0] += 7199
        self.assertNotEqual(self.refused("eve"), "")
        now[0] += 2
        self.assertEqual(self.refused("eve"), "")
        self.assertEqual(self.run_line(self.root, "bans"), "nobody is banned")

    def test_an_address_and_a_network(self) -> None:
        for whom in (f"{HERE}/32", "192.168.0.0/16"):
            ban = Sanction(Kind.BAN, whom, None, "noise", "eve", 0)
            self.impose(ban)
            self.assertEqual(self.refused("cy"), "banned: noise", whom)
            self.house.storage.punished.clear()
        self.impose(Sanction(Kind.BAN, "10.0.0.0/8", None, "", "eve", 0))
        self.assertEqual(self.refused("cy"), "")

    def test_the_interface_behind_an_address_is_no_part_of_it(self) -> None:
        self.assertEqual(self.run_line(self.root, f"ban fe80::7%{'x' * 5000}"), "fe80::7/128 is banned for good")
        self.house.server.addresses = Addresses(self.house.clock, 10, 10)
        far = Peer(self.house.server, host="fe80::7%eth0")
        self.assertEqual([error.text for error in far.heard(frames.Error)], ["banned"])
        self.assertEqual(self.run_line(self.root, "unban fe80::7%eth1"), "the ban of fe80::7/128 is lifted")

    def impose(self, *sanctions: Sanction) -> None:
        """Have another server impose them."""
        self.house.storage.punished.update({(it.kind, it.whom): it for it in sanctions})
        self.house.server.hear(7, Ruled())
        self.house.settle()

    def test_who_is_at_a_banned_address_goes(self) -> None:
        self.impose(Sanction(Kind.BAN, f"{HERE}/32", None, "", "eve", 0))
        for peer in (self.root, self.ann, self.bob):
            self.assertEqual(self.ended(peer), ["banned", "kicked"])

    def test_the_loopback_is_banned_only_by_itself(self) -> None:
        rules = self.rules
        for whom, banned in (("0.0.0.0/0", False), ("::/0", False), ("127.0.0.0/8", True), ("127.0.0.1/32", True)):
            rules._take([Sanction(Kind.BAN, whom, None, "", "eve", 0)], {})
            for host in ("127.0.0.1", "::ffff:127.0.0.1"):
                if banned:
                    self.assertRaises(Refused, rules.check_address, host)
                else:
                    rules.check_address(host)
        rules._take([Sanction(Kind.BAN, "::/0", None, "", "eve", 0)], {})
        self.assertRaises(Refused, rules.check_address, "2001:db8::1")
        rules.check_address("")  # a UNIX socket

    def test_what_is_banned_is_read_right(self) -> None:
        for said, kept in (
            ("10.1.2.3", "10.1.2.3/32"),
            ("::ffff:10.1.2.4", "10.1.2.4/32"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("ÄNN", "änn"),
        ):
            self.assertEqual(self.run_line(self.root, f"ban {said}"), f"{kept} is banned for good")
            self.assertEqual(self.run_line(self.root, f"unban {said}"), f"the ban of {kept} is lifted")
        for said in ("10.0.0.0/33", "10.1.2.300", "10.1.2.300/8", "2001:db8::/129", "1::2::3", "for 2h"):
            self.assertEqual(self.run_line(self.root, f"ban {said}"), "bad_frame", said)
        self.assertEqual(self.run_line(self.root, "ban @10.1.2.300"), "10.1.2.300 is banned for good")

    def test_a_name_that_is_an_address(self) -> None:
        peer = self.house.peer("10.1.2.3")
        answer = self.run_line(self.root, "ban 10.1.2.3")
        self.assertEqual(
            answer, "10.1.2.3/32 is banned for good\nthat is the address; who is called 10.1.2.3 is @10.1.2.3"
        )
        self.assertEqual(self.ended(peer), [])
        self.assertEqual(self.run_line(self.root, "ban @10.1.2.3 spam"), "10.1.2.3 is banned for good")
        self.assertEqual(self.ended(peer), ["banned: spam", "kicked"])
        self.assertEqual(self.refused("10.1.2.3"), "banned: spam")
        self.assertEqual(self.run_line(self.root, "unban @10.1.2.3"), "the ban of 10.1.2.3 is lifted")
        self.assertEqual(self.refused("10.1.2.3"), "")

    def test_no_password_is_asked_for(self) -> None:
        self.run_line(self.root, "ban eve")
        self.assertEqual(self.code("eve"), "name_taken")
        self.impose(Sanction(Kind.BAN, f"{HERE}/32", None, "", "eve", 0))
        self.assertEqual(self.code("cy"), "too_many")

    def code(self, name: str) -> str:
        """Return with which code a login is refused."""
        [error] = self.house.peer(name, host=HERE).heard(frames.Error)
        return str(error.code)

    def test_who_logs_in_while_it_is_decided_is_not_let_in(self) -> None:
        late = Peer(self.house.server)
        late.says(frames.Login("eve", rooms={"new": None}))
        self.house.clock.advance(0)  # its login is being stored, and then its room is looked for
        self.rules._take([Sanction(Kind.BAN, "eve", None, "", "root", 0)], {})
        self.house.settle()
        self.assertEqual([type(frame) for frame, _ in late.frames], [frames.Error])


class MutingTests(OrdersCase):
    def test_who_is_muted_reads_and_sends_nothing(self) -> None:
        self.assertEqual(self.run_line(self.root, "mute bob hush"), "bob is muted for good")
        self.assertEqual(self.send(self.bob, "SECRET"), "forbidden")
        self.assertEqual(self.send(self.ann, "hello"), "ack")
        self.assertEqual([body for _, body in self.bob.frames if body], [b"hello"])
        [error] = self.bob.heard(frames.Error)
        self.assertEqual((error.text, error.seq), ("muted: hush", 1))
        self.assertEqual(self.run_line(self.root, "mutes"), "bob: hush (by root)")
        self.run_line(self.root, "unmute bob")
        self.assertEqual(self.send(self.bob, "hello"), "ack")
        self.assertEqual(self.bob.connection.sending.received, 2)  # the refused one counts

    def test_nor_a_file(self) -> None:
        self.run_line(self.root, "mute bob")
        self.bob.says(frames.Part(1, 0), b"data")
        self.bob.says(frames.Send(1, upload=1, size=4, name="f"))
        self.house.settle()
        self.assertEqual([(error.code, error.seq) for error in self.bob.heard(frames.Error)], [("forbidden", 1)])


class DeletingTests(OrdersCase):
    def test_the_log_tells_what_is_ordered(self) -> None:
        told: list[str] = []

        @provider(ILogObserver)
        def note(event: LogEvent) -> None:
            told.append(formatEvent(event))

        globalLogPublisher.addObserver(note)
        self.addCleanup(globalLogPublisher.removeObserver, note)
        self.send(self.bob, "one")
        self.run_line(self.root, "delete 1")
        self.run_line(self.root, "mute bob")
        self.assertEqual(
            [line.split()[:3] for line in told], [["root", "ordered:", what] for what in ("delete", "mute")]
        )

    def test_by_the_order(self) -> None:
        self.send(self.ann, "one")
        self.send(self.ann, "two")
        self.assertEqual(self.run_line(self.bob, "delete 1"), "forbidden")
        self.assertEqual(self.run_line(self.ann, "delete 1"), "message 1 is deleted")
        self.assertEqual(self.house.storage.acts, [])
        self.assertEqual(self.run_line(self.root, "delete 2"), "message 2 is deleted")
        self.assertEqual(self.run_line(self.root, "delete 3"), "unknown_message")
        [act] = self.house.storage.acts
        self.assertEqual((act.order, act.whom, act.room), ("delete", "message 2", "lobby"))
        self.assertEqual([frame.id for frame in self.bob.heard(frames.Deleted)], [1, 2])


class PrivateRoomTests(OrdersCase):
    def setUp(self) -> None:
        super().setUp()
        self.join(self.ann, "den")
        self.send(self.ann, "SECRET", "den")

    def join(self, peer: Peer, room: str) -> str:
        """Return ``joined``, or the code of the error."""
        before = len(peer.frames)
        peer.says(frames.Join(room))
        self.house.settle()
        for frame, _ in peer.frames[before:]:
            if isinstance(frame, frames.Joined):
                return "joined"
            if isinstance(frame, frames.Error):
                return frame.code
        return "nothing"

    def close(self, peer: Peer | None = None) -> str:
        return self.run_line(peer or self.ann, "private", room="den")

    def test_who_may_make_one(self) -> None:
        self.assertEqual(self.join(self.bob, "den"), "joined")
        self.assertEqual(self.close(self.bob), "forbidden")
        self.assertEqual(self.run_line(self.ann, "private"), "forbidden")
        self.assertEqual(self.run_line(self.root, "private"), "forbidden")  # the lobby
        self.assertEqual(self.close(self.root), "not_in_room")
        self.assertIn("den is private", self.close())

    def test_who_has_the_name_next_has_made_no_room(self) -> None:
        self.assertEqual(self.join(self.bob, "den"), "joined")  # and stays
        self.house.server.hear(2, Kicked("ann", spared=b""))
        self.house.settle()
        next = self.account("ann")
        self.assertEqual(self.join(next, "den"), "joined")
        self.assertEqual(self.close(next), "forbidden")

    def test_only_who_is_invited_is_let_in(self) -> None:
        self.close()
        self.assertEqual(self.join(self.bob, "Den"), "unknown_room")
        self.assertEqual(self.join(self.house.peer("guest"), "den"), "unknown_room")
        self.assertEqual(self.run_line(self.ann, "invite cy", room="den"), "forbidden")  # no account
        self.assertEqual(self.run_line(self.ann, "invite bob", room="den"), "bob may join den")
        self.assertEqual(self.run_line(self.bob, "invite cy", room="den"), "not_in_room")
        self.assertEqual(self.join(self.bob, "den"), "joined")
        self.assertEqual(self.run_line(self.bob, "invited", room="den"), "ann bob")
        self.assertEqual(self.run_line(self.bob, "invite root", room="den"), "forbidden")
        self.assertIn(b"SECRET", [body for _, body in self.bob.frames])

    def test_to_the_others_it_is_not_there(self) -> None:
        self.close()
        for peer in (self.bob, self.root, self.house.peer("guest")):
            before = len(peer.frames)
            for frame in (
                frames.History(9, 1, room="den"),
                frames.Search("secret", 9, 2, room="den"),
                frames.Who(3, room="den"),
                frames.Fetch(1, 4, room="den"),
                frames.Delete(1, 5, room="den"),
                frames.Run("invited", 6, room="den"),
                frames.Send(1, room="den"),
                frames.Leave("den"),
            ):
                peer.says(frame)
                self.house.settle()
            told = [frame for frame, _ in peer.frames[before:] if not isinstance(frame, frames.Presence)]
            codes = {getattr(frame, "code", type(frame).__name__) for frame in told}
            self.assertLessEqual(codes, {"unknown_room", "forbidden"})
            others = {frame.code for frame in peer.heard(frames.Error) if frame.ref not in (5, 6)}
            self.assertEqual(others, {"unknown_room"})
            peer.says(frames.Rooms(7))
            self.house.settle()
            [listed] = peer.heard(frames.RoomList)
            self.assertEqual([*listed.rooms], ["lobby"])
        self.ann.says(frames.Rooms(7))
        self.house.settle()
        self.assertEqual([*self.ann.heard(frames.RoomList)[-1].rooms], ["lobby", "den"])

    def test_a_login_goes_without_it(self) -> None:
        self.close()
        for name in ("bob", "ann"):
            peer = self.account(name, rooms={"lobby": 0, "den": 0}, key="k")
            [welcome] = peer.heard(frames.Welcome)
            self.assertEqual([*welcome.rooms], ["lobby", "den"] if name == "ann" else ["lobby"])

    def test_who_is_in_it_and_not_invited_is_put_out(self) -> None:
        self.join(self.bob, "den")
        self.close()
        self.assertEqual([left.room for left in self.bob.heard(frames.Left)], ["den"])
        self.send(self.ann, "MORE", "den")
        self.assertNotIn(b"MORE", [body for _, body in self.bob.frames])

    def test_who_is_uninvited_is_put_out_at_once(self) -> None:
        self.close()
        self.run_line(self.ann, "invite bob", room="den")
        self.join(self.bob, "den")
        self.bob.says(frames.History(9, 77, room="den"))  # which is being read
        self.rules._take([], {"den": frozenset({"ann"})})
        self.house.settle()
        self.assertEqual([left.room for left in self.bob.heard(frames.Left)], ["den"])
        [answer] = [frame for frame, _ in self.bob.frames if getattr(frame, "ref", None) == 77]
        self.assertIsInstance(answer, frames.Error)
        self.assertEqual(self.run_line(self.ann, "uninvite bob", room="den"), "bob is not invited")

    def test_uninvite(self) -> None:
        self.close()
        self.run_line(self.ann, "invite bob", room="den")
        self.join(self.bob, "den")
        self.assertEqual(self.run_line(self.ann, "uninvite bob", room="den"), "bob may not be in den any more")
        self.assertEqual(len(self.bob.heard(frames.Left)), 1)
        self.assertEqual(self.join(self.bob, "den"), "unknown_room")

    def test_it_can_be_opened_again(self) -> None:
        self.close()
        self.assertEqual(self.run_line(self.ann, "public", room="den"), "den is open to all")
        self.assertEqual(self.join(self.house.peer("guest"), "den"), "joined")

    def test_who_joins_while_it_is_closed_is_not_let_in(self) -> None:
        self.bob.says(frames.Join("den", after=5))  # which is looked for
        self.house.clock.advance(0)
        key = self.house.storage.keys["den"]
        self.house.storage._do(Close(key))
        self.house.storage._do(Invite(key, "ann"))
        self.house.server.rules._take([], self.house.storage.private_rooms())
        self.house.settle()
        self.assertEqual(self.bob.heard(frames.Joined), [])
        self.assertEqual([error.code for error in self.bob.heard(frames.Error)], ["unknown_room"])


class StartTests(TestCase):
    def test_nobody_is_let_in_before_the_rules_are_known(self) -> None:
        house = House()
        house.storage._do(Impose(Sanction(Kind.BAN, "eve", None, "", "root", 0)))
        peer = Peer(house.server)
        peer.says(frames.Login("eve"))
        house.settle()
        self.assertEqual([type(frame) for frame, _ in peer.frames], [frames.Error])
