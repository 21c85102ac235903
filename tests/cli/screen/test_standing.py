"""The status line without a terminal."""

from __future__ import annotations

from unittest import TestCase
from unittest.mock import patch

from cli.screen.conversation import Conversation, Transfer
from cli.screen.highlights import Highlights
from cli.screen.standing import standing
from cli.status import State
from cli.words import clock, day
from tests.cli.screen.made import NOON, message, status


class Standing(TestCase):
    def setUp(self) -> None:
        self.conversation = Conversation("ann", ["lobby"], Highlights(["ann"]))
        self.conversation.tell(status(State.LIVE))

    def line(self, *, rooms: bool = True) -> str:
        return "".join(part.text for part in standing(self.conversation, NOON, rooms=rooms))

    def styled(self, text: str) -> str:
        return next(part.style for part in standing(self.conversation, NOON) if part.text == text)

    def test_one_room(self) -> None:
        self.assertEqual(self.line(), "live · [lobby] · ann")
        self.conversation.current.users = 3
        self.assertEqual(self.line(), "live · [lobby] · 3 here · ann")
        self.conversation.tell(status(State.CLOSED))  # nobody knows how many now
        self.assertNotIn("here", self.line())

    def test_rooms_with_something_unread_come_first_and_mentions_before_them(self) -> None:
        for name in ("dev", "ops", "tea"):
            self.conversation.room(name)
        self.conversation.add(message(1, room="ops"))
        self.conversation.add(message(1, room="tea"))
        self.conversation.add(message(2, "ann!", room="tea"))
        self.assertEqual(self.line(), "live · [1:lobby] 4:tea(1! 2) 3:ops(1) 2:dev · ann")
        self.assertEqual((self.styled("1!"), self.styled("1")), ("mention", "unread"))
        self.assertEqual(self.line(rooms=False), "live · [lobby] · ann")

    def test_only_mentions(self) -> None:
        self.conversation.room("tea")
        self.conversation.add(message(1, "ann!", room="tea"))
        self.assertEqual(self.line(), "live · [1:lobby] 2:tea(1!) · ann")

    def test_very_many_rooms(self) -> None:
        for number in range(50):
            self.conversation.room(f"room{number}")
            self.conversation.add(message(1, room=f"room{number}"))
        self.conversation.tell(status(State.LOST))
        self.assertRegex(self.line(), r"^offline .*, trying again · \[1:lobby\] .* 7:room5\(1\) \+44 · ann$")

    def test_a_password_is_waited_for(self) -> None:
        self.conversation.tell(status(State.LOST, retry_at=NOON + 1, reason="this needs the password"))
        self.conversation.asking = True
        self.assertEqual(self.line(), "not in without a password · [lobby] · ann")

    def test_looking_back(self) -> None:
        self.conversation.add(message(1))
        self.conversation.current.look_at((1, 0))
        self.enterContext(patch("cli.screen.standing.time", return_value=NOON))
        self.assertEqual(self.line(), "↓ more · live · [lobby] · ann")
        self.conversation.add(message(2))
        self.conversation.add(message(3))
        self.assertEqual(self.line(), "↓ 2 new · live · [lobby] · ann")

    def test_looking_back_to_another_day(self) -> None:
        self.conversation.add(message(1))
        self.conversation.current.look_at((1, 0))
        on = day(NOON)
        assert on is not None
        for later, shown in ((2, f" · {on:%a} {on.day} Nov"), (300, f" · {on.day} Nov 2025")):
            with patch("cli.screen.standing.time", return_value=NOON + later * 86400):
                self.assertEqual(self.line(), f"↓ more{shown} · live · [lobby] · ann")
        self.conversation.current.look_at((9, 0))  # is not here
        self.assertEqual(self.line(), "↓ more · live · [lobby] · ann")

    def test_states(self) -> None:
        noon = clock(NOON)
        for state, shown, style in [
            (status(State.CONNECTING), "connecting", "status"),
            (status(State.LIVE, lag=0.2), "live", "status"),
            (status(State.LIVE, lag=0.7), "live, lag 700 ms", "alarm"),
            (status(State.LIVE, lag=31.2), "live, lag 31 s", "alarm"),
            (status(State.BEHIND, behind=12, unsent=3), "behind by 12, unsent 3", "status"),
            (
                status(State.LOST, retry_at=NOON + 3.2, unsent=1, reason="shutting down"),
                f"offline since {noon}, next try in 4 s, unsent 1",
                "alarm",
            ),
            (status(State.LOST), f"offline since {noon}, trying again", "alarm"),
            (status(State.CLOSED, reason="kicked"), f"closed since {noon}", "alarm"),
        ]:
            with self.subTest(shown):
                self.conversation.tell(state)
                self.assertEqual(self.line().split(" · ")[0], shown)
                self.assertEqual(self.styled(shown), style)

    def test_the_reason_does_not_push_out_where_one_is(self) -> None:
        self.conversation.room("dev")
        self.conversation.tell(status(State.CLOSED, reason="kicked"))
        self.assertRegex(self.line(), r"^closed since .* · \[1:lobby\] · kicked · 2:dev · ann$")
        self.assertEqual(self.styled("kicked"), "alarm")

    def test_before_the_first_connection(self) -> None:
        self.conversation = Conversation("ann", ["lobby"], Highlights([]))
        self.assertEqual(self.line(), "connecting · [lobby] · ann")
        self.conversation.tell(status(State.LOST, retry_at=NOON + 1, reason="Connection refused"))
        self.assertEqual(self.line(), "connecting, next try in 1 s · [lobby] · Connection refused · ann")
        self.conversation.server = "example.org:7777"
        self.assertIn(" · example.org:7777: Connection refused · ", self.line())
        self.conversation.tell(status(State.CLOSED, reason="kicked"))
        self.assertIn(" · kicked · ", self.line())

    def test_trouble_of_the_server(self) -> None:
        self.conversation.trouble = "the database is away"
        self.assertEqual(self.line(), "live · the database is away · [lobby] · ann")
        self.conversation.tell(status(State.LOST))
        self.conversation.tell(status(State.LIVE))
        self.assertEqual(self.line(), "live · [lobby] · ann")

    def test_the_other_rooms_push_out_no_transfer(self) -> None:
        self.conversation.room("dev")
        self.conversation.transfers = [Transfer("saving", "b", 5_000_000)]
        self.assertEqual(self.line(), "live · [1:lobby] · saving 5 MB of b · 2:dev · ann")

    def test_transfers(self) -> None:
        self.conversation.transfers = [
            Transfer("sending", "a" * 30, 63, 200),
            Transfer("saving", "b", 5_000_000),
            Transfer("saving", "empty", 0, 0),
            Transfer("saving", "grown", 12, 10),
        ]
        self.assertEqual(
            self.line(),
            f"live · [lobby] · sending 31 % of {'a' * 23}… ━━━─────── · saving 5 MB of b"
            " · saving 0 % of empty ────────── · saving 120 % of grown ━━━━━━━━━━ · ann",
        )
