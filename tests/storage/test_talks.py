"""Talks of two in the database: which one two accounts have, who is in it, and that the other servers hear of it."""

from __future__ import annotations

from storage import Account, Content, Open, Piece, Register, Role, Room, Send, SendContent, Unregister, UploadKey
from storage.changes import Called
from storage.talks import Party, Talk
from tests.storage.databases import Cases, Journal, OnMariaDB, OnSQLite, send, texts
from wire.names import MAX_NAME

ANN, BOB = Party("Ann", 5), Party("bob", 7)
TALK = Talk.of(ANN, BOB)


class Talks(Cases):
    def setUp(self) -> None:
        super().setUp()
        self.storage = self.open()
        self.journal = Journal(self.storage)
        for party in (ANN, BOB):
            self.register(party)

    def register(self, party: Party) -> None:
        [account] = self.journal.commit(Register(party.name, "$argon2id$", None, party.created_at))
        self.assertIsInstance(account, Account)

    def begin(self, talk: Talk = TALK) -> Room:
        [room] = self.journal.commit(Open(talk.name, talk=talk))
        assert isinstance(room, Room)
        return room

    def say(self, room: Room, text: str, talk: Talk | None = TALK) -> Send:
        said = send(room, text)
        return Send(None, 1, said.room, said.by, said.at, said.texts, talk)

    def told(self) -> list[object]:
        changes = self.storage.neighbours.changes(self.storage.neighbours.own, 0)
        return [change for _, change in changes if isinstance(change, Called)]

    def test_it_is_one_room_for_both(self) -> None:
        self.assertEqual(self.begin(Talk.of(BOB, ANN)).key, self.begin().key)
        self.assertEqual([TALK.called("ann"), TALK.called("bob")], ["@bob", "@Ann"])
        self.assertEqual(len(TALK.name), MAX_NAME)

    def test_each_has_ones_own(self) -> None:
        cy = Party("cy", 9)
        self.register(cy)
        room, other = self.begin(), self.begin(Talk.of(cy, ANN))
        self.assertEqual(self.storage.talks("ann"), [(room, TALK), (other, Talk.of(ANN, cy))])
        self.assertEqual(self.storage.talks("bob"), [(room, TALK)])
        self.assertEqual(self.storage.talks("eve"), [])

    def test_it_is_no_room_of_all(self) -> None:
        room, lobby = self.begin(), self.journal.open()
        self.assertEqual(self.storage.rooms(), [lobby])
        self.assertEqual(self.storage.rooms(talks=True), [room, lobby])
        self.assertEqual(self.storage.parties(), {room.key: ["ann", "bob"]})
        self.assertEqual(self.storage.private_rooms(), {})  # all of which every server has in memory

    def test_who_has_a_name_later_has_other_talks(self) -> None:
        room = self.begin()
        self.journal.commit(self.say(room, "between us"))
        self.assertEqual(self.journal.commit(Unregister("bob")), [True])
        self.assertEqual((self.storage.talks("ann"), self.storage.parties()), ([], {room.key: ["ann"]}))
        later = Party("bob", 8)
        self.register(later)
        self.begin()  # somebody was about to go on there
        self.assertEqual((self.storage.talks("bob"), self.storage.talks("ann")), ([], []))
        self.assertEqual(texts(self.storage, Talk.of(ANN, later).name), [])
        self.assertEqual([later.is_of(it) for it in (self.storage.account("bob"), Account("bob", Role.USER, 7), None)],
                         [True, False, False])  # fmt: skip

    def test_the_others_hear_that_something_came(self) -> None:
        room, lobby = self.begin(), self.journal.open()
        self.journal.commit(send(lobby), self.say(room, "1"), self.say(room, "2"), send(lobby))
        self.journal.commit(self.say(room, "3"))
        self.assertEqual(self.told(), [Called(room.key, 1, TALK), Called(room.key, 3, TALK)])

    def test_the_others_hear_of_an_upload(self) -> None:
        room = self.begin()
        key = UploadKey("ann", bytes(32), 1)
        large = SendContent(None, 1, room.key, "Ann", 5, Content(key, 3, "abc"), TALK)
        self.journal.commit(Piece(None, key, 0, b"abc"), large)
        self.assertEqual(self.told(), [Called(room.key, 1, TALK)])

    def test_what_is_not_stored_calls_nobody(self) -> None:
        room = self.begin()
        sender = self.journal.known_sender()
        said = Send(sender, 1, room.key, "ann", 5, ["once"], TALK)
        self.journal.commit(said)
        self.journal.commit(said)
        self.assertEqual(self.told(), [Called(room.key, 1, TALK)])


class TalksOnSQLite(Talks, OnSQLite):
    pass


class TalksOnMariaDB(Talks, OnMariaDB):
    pass
