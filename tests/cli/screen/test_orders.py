"""The commands that the server has, and what it tells unasked, without a terminal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock

from cli.refusals import AskRefused
from cli.screen.help import Help
from cli.screen.online import Online
from cli.screen.orders import Orders
from cli.screen.talk import Talk
from cli.screen.told import overview
from cli.settings import Settings
from cli.status import State
from tests.cli.screen.made import message, offered, status
from tests.cli.screen.test_places import Typed
from wire.frames import RoomInfo

HELP = ["help [COMMAND] — what there is\nkick NAME [REASON] — end all connections of somebody", "who — not ours"]


class Ordering(Typed):
    def setUp(self) -> None:
        super().setUp()
        self.orders = Orders(cast(Talk, self.talk))

    def names(self) -> set[str]:
        return {command.name for command in self.talk.commands if command.subject == "server"}

    def test_the_answer_is_shown(self) -> None:
        self.type("run ban bob spam")
        self.assertEqual(self.client.asked, [("run", "ban bob spam", "lobby")])
        self.assertEqual(self.answer(["bob is banned", "more"]), "bob is banned\nmore")
        self.type("run ban")
        self.assertEqual(self.answer(AskRefused("bad_frame", "usage: ban NAME")), "usage: ban NAME")
        self.type("run ban")
        self.assertEqual(self.answer(ConnectionLost()), "there is no connection; try again once it is live")
        self.assertIn("/run help", self.type("run "))

    def test_the_servers_commands_are_ones_own(self) -> None:
        self.orders.learn()
        self.answer(HELP)
        self.assertEqual(self.names(), {"run", "help", "kick"})
        kick = self.talk.commands.get("kick")
        assert kick is not None
        self.assertEqual((kick.usage, kick.help), ("/kick NAME [REASON]", "end all connections of somebody"))
        self.type("kick bob enough")
        self.assertEqual(self.client.asked[-1], ("run", "kick bob enough", "lobby"))

    def test_the_overview_has_a_line_for_them(self) -> None:
        self.orders.learn()
        self.answer(["\n".join(f"{name} X — x" for name in ("help", "kick", "ban"))])
        self.assertEqual(overview(self.talk.commands, 80).splitlines()[-2], "server: /run /kick /ban")

    def test_what_it_may_not_call_them(self) -> None:
        self.orders.learn()
        self.answer(["\x1b[2J — x\nrun — x\nKick2 — x\n — x\n" + "\n".join(f"a{'b' * n} — x" for n in range(200))])
        self.assertLessEqual(len(self.names()), 100)
        self.assertTrue(all(name.isalpha() for name in self.names()))
        self.assertNotEqual(self.talk.commands.get("run").help, "x")  # type: ignore[union-attr]

    def test_a_command_that_is_new_is_asked_for(self) -> None:
        self.orders.try_unknown("kick", "bob")
        self.assertEqual(self.client.asked, [("run", "help", "lobby")])
        self.answer(HELP)
        self.assertEqual(self.client.asked[-1], ("run", "kick bob", "lobby"))

    def test_one_that_nobody_has(self) -> None:
        for answer in (AskRefused("forbidden", "no"), ConnectionLost()):
            self.orders.try_unknown("kcik", "bob")
            self.assertIn("there is no /kcik; ", self.answer(answer))
        for answer in (AskRefused("bad_frame", "no"), ConnectionLost()):
            self.orders.try_unknown("kcik", "bob")
            self.assertEqual(self.answer(HELP), "")
            self.assertEqual(self.client.asked[-1], ("run", "help kcik", "lobby"))
            self.assertIn("there is no /kcik; do you mean /kick? ", self.answer(answer))
        self.orders.try_unknown("etc/passwd", "")
        self.assertIn("there is no /etc/passwd; ", self.answer(HELP))  # which is nobody's business

    def test_one_that_is_for_others(self) -> None:
        for help in (HELP, ["help [COMMAND] — what there is"]):
            self.setUp()
            self.talk.commands.add("help", print, "our own")
            self.orders.try_unknown("ban", "bob")
            self.answer(help)
            self.assertEqual(self.answer(AskRefused("forbidden", "ban is for operators")), "ban is for operators")

    def test_help_of_one_that_is_for_others(self) -> None:
        self.talk.orders, self.talk.settings = self.orders, Settings()  # type: ignore[attr-defined]
        Help(cast(Talk, self.talk))
        unknown = "there is no help for kick; /help alone tells what there is"
        self.type("help kick")
        self.assertEqual(self.answer(AskRefused("forbidden", "the server has no commands")), unknown)
        for answer, said in (
            (AskRefused("forbidden", "kick is for operators"), "kick is for operators"),
            (["kick NAME — end it"], "kick NAME — end it"),
            (AskRefused("bad_frame", "no"), unknown),
        ):
            self.type("help kick")
            self.assertEqual(self.answer(["help [COMMAND] — what there is"]), "")
            self.assertEqual(self.client.asked[-1], ("run", "help kick", "lobby"))
            self.assertEqual(self.answer(answer), said)

    def test_one_that_the_list_was_too_short_for(self) -> None:
        self.orders.try_unknown("ban", "bob")
        self.answer(HELP)
        self.answer(["ban NAME — end all connections"])
        self.assertEqual(self.client.asked[-1], ("run", "ban bob", "lobby"))

    def test_tab_tells_messages_by_their_numbers(self) -> None:
        self.orders.learn()
        self.answer(["delete ID — take a message"])
        room = self.conversation.current
        room.open(1, 0)
        for id, sender in ((1, "ann"), (2, "bob"), (3, "ann"), (4, "bob"), (5, "cy"), (12, "cy")):
            room.add(message(id, f"text {id}", sender))
        room.delete(4)
        room.see(1, 12)
        self.assertEqual(offered(self.talk.commands, "delete "), ["3", "1", "12", "5", "2"])
        self.assertEqual(offered(self.talk.commands, "delete 1"), ["1", "12"])
        self.assertEqual(offered(self.talk.commands, "delete B"), ["2"])
        room.look_at((3, 0))
        room.see(1, 3)
        self.assertEqual(offered(self.talk.commands, "delete "), ["3", "1", "2"])  # what is on the screen
        delete = self.talk.commands.get("delete")
        assert delete is not None
        assert delete.tells is not None
        self.assertEqual(delete.tells("2"), "2, bob: text 2")
        self.assertEqual([delete.tells(rest) for rest in ("7", "x", "", "²")], [""] * 4)
        self.assertIn("; Tab goes through the IDs", delete.help)

    def test_what_is_deleted_is_shown_so(self) -> None:
        room = self.conversation.current
        room.open(1, 0)
        room.add(message(1, "SECRET"))
        Online(cast(Talk, self.talk), None).deleted("Lobby", 1, "ann")
        found = room.history.get(1)
        assert found is not None
        self.assertEqual((found.text, found.deleted), ("", True))
        Online(cast(Talk, self.talk), None).deleted("lobby", 5, "ann")  # not here
        Online(cast(Talk, self.talk), None).deleted("nowhere", 1, "ann")

    def test_what_was_missed_is_looked_for_again(self) -> None:
        self.talk.places, self.talk.pages = self.places, SimpleNamespace(fetch=lambda: None)  # type: ignore[attr-defined]
        online = Online(cast(Talk, self.talk), Clock())
        for state in (State.CONNECTING, State.LIVE, State.BEHIND, State.LOST, State.CONNECTING):
            online.status_changed(status(state))
        self.assertEqual(self.client.asked, [])
        online.status_changed(status(State.LOST))
        online.status_changed(status(State.LIVE))
        self.assertEqual(self.client.asked, [("list_rooms",)])

    def test_a_talk_that_begins_unasked(self) -> None:
        self.talk.places = self.places  # type: ignore[attr-defined]
        online = Online(cast(Talk, self.talk), None)
        online.room_opened("lobby", 1, 0)
        self.assertEqual(self.client.asked, [])
        online.room_opened("@bob", 1, 0)
        self.assertEqual((self.rooms(), self.client.asked), (["[lobby]", "@bob"], [("list_rooms",)]))
        self.answer({"@bob": RoomInfo(1, 0, 2)})
        self.assertEqual(self.conversation.room("@bob").users, 2)

    def test_a_room_that_one_is_put_out_of(self) -> None:
        self.conversation.room("den")
        Online(cast(Talk, self.talk), None).room_left("den")
        self.assertEqual((self.rooms(), self.said()), (["[lobby]"], "you are in den no more"))
        self.assertEqual(self.talk.writing.modes, [])

    def test_what_is_typed_there_goes_nowhere_else(self) -> None:
        self.conversation.show(self.conversation.room("den"))
        Online(cast(Talk, self.talk), None).room_left("den")
        [hold] = self.talk.writing.modes
        self.assertEqual(hold.prompt, "you are in den no more: Enter goes on in lobby")
        self.assertTrue(hold.press("enter") and hold.over)
