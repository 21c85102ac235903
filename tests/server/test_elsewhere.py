from __future__ import annotations

from unittest import TestCase

from server.elsewhere import Elsewhere


class ElsewhereTests(TestCase):
    def setUp(self) -> None:
        self.told: list[int] = []
        self.elsewhere = Elsewhere(self.told.append)
        self.lobby = self.elsewhere.users(1)

    def test_who_is_at_two_servers_is_there_until_the_last_has_none(self) -> None:
        self.elsewhere.move(7, 1, ["ann", "bob"], [])
        self.elsewhere.move(8, 1, ["ann"], [])
        self.elsewhere.move(7, 1, [], ["ann", "bob"])
        self.assertEqual(set(self.lobby), {"ann"})
        self.elsewhere.move(8, 1, [], ["ann"])
        self.assertEqual(set(self.lobby), set())

    def test_what_is_told_again_changes_nothing(self) -> None:
        for _ in range(2):
            self.elsewhere.move(7, 1, ["ann"], ["cy"])
        self.elsewhere.move(7, 1, [], ["ann"])
        self.assertEqual(set(self.lobby), set())

    def test_all_of_a_server_anew(self) -> None:
        self.elsewhere.move(7, 1, ["ann", "bob"], [])
        self.elsewhere.move(8, 1, ["dan"], [])
        self.elsewhere.put(7, [(1, "bob"), (2, "cy")])
        self.assertEqual(set(self.lobby), {"bob", "dan"})
        self.assertEqual(set(self.elsewhere.users(2)), {"cy"})

    def test_forgetting(self) -> None:
        for server in (7, 8, 9):
            self.elsewhere.move(server, 1, [f"at{server}"], [])
        self.elsewhere.forget(7)
        self.assertEqual(set(self.lobby), {"at8", "at9"})
        self.elsewhere.forget_others([9])
        self.assertEqual(set(self.lobby), {"at9"})

    def test_a_room_hears_before_it_changes(self) -> None:
        self.elsewhere.put(7, [(1, "ann"), (2, "ann")])
        self.assertEqual(self.told, [1, 2])
