"""Section 8 of the protocol: names."""

from __future__ import annotations

from tests.plain_client import fold
from tests.system.case import ServerCase, fresh

# What is asked for, and what is kept and shown.
NAMES = {
    "one letter": ("q", "q"),
    "32 characters": ("w" * 32, "w" * 32),
    "32 characters of four bytes": ("𐐨" * 32, "𐐨" * 32),
    "a digit first": ("9lives", "9lives"),
    "an underscore first": ("_x", "_x"),
    "marks inside": ("a_b-c.d", "a_b-c.d"),
    "capitals stay": ("McAnn", "McAnn"),
    "full width": ("ｗｉｄｅ", "wide"),
    "a ligature": ("ﬁsh", "fish"),
    "composed": ("e\u0301clair", "\u00e9clair"),
    "a mark that does not compose": ("x\u0303y", "x\u0303y"),
    "Arabic digits": ("٣x", "٣x"),
    "a superscript digit": ("x²", "x2"),
    "a Roman numeral": ("Ⅷ", "VIII"),
    "Cyrillic": ("Анна", "Анна"),
    "Hebrew": ("דוד", "דוד"),
    "Chinese": ("小明", "小明"),
    "Devanagari": ("नमस्ते", "नमस्ते"),
    "Hangul": ("한글", "한글"),
}
NO_NAMES = {
    "nothing": "",
    "33 characters": "x" * 33,
    "33 characters after NFKC": "x" * 31 + "ﬁ",
    "a dot first": ".x",
    "a dash first": "-x",
    "a mark first": "\u0301x",
    "a space": "a b",
    "a space at the end": "a ",
    "a no-break space": "a\u00a0b",
    "an at sign": "a@b",
    "a hash": "#x",
    "a slash": "a/b",
    "a colon": "a:b",
    "an apostrophe": "o'neil",
    "an emoji": "x😀",
    "a newline": "a\nb",
    "a newline at the end": "ab\n",
    "NUL": "a\x00b",
    "an escape": "a\x1b[2J",
    "a C1 control": "a\x9bb",
    "a bidirectional override": "a\u202eb",
    "zero width": "a\u200bb",
    "a joiner": "a\u200db",
    "a soft hyphen": "a\u00adb",
    "a Hangul filler": "a\u115fb",
    "a half-width Hangul filler": "a\uffa0b",
    "a variation selector": "a\ufe0fb",
    "a grapheme joiner": "a\u034fb",
    "a tag": "a\U000e0061b",
    "a fraction": "½",
    "a letter number": "〇x",
    "an unassigned code point": "a\u0378b",
}
ONE = (
    ("ann", "ANN", "Ann", "ａｎｎ"),
    ("straße", "STRASSE", "strasse", "Strasse"),
    ("σας", "ΣΑΣ", "σασ"),
    ("ﬁn", "FIN", "fin"),
    ("e\u0301t", "\u00c9T", "\u00e9t"),
    ("ǆ", "Ǆ", "ǅ"),
)


class Names(ServerCase):
    def test_names_of_users(self) -> None:
        for what, (asked, shown) in NAMES.items():
            with self.subTest(what):
                client = self.connect()
                self.assertEqual(client.login(asked, rooms={self.room: 0})["user"], shown)
                id = client.store("x", self.room)
                self.assertEqual(client.read("message", id=id)["from"], shown)
                client.say("quit")
                client.frames()

    def test_names_of_rooms(self) -> None:
        client = self.login()
        for what, (asked, shown) in NAMES.items():
            with self.subTest(what):
                self.assertEqual(client.join(asked)["room"], shown)
                client.send("x", shown)
                self.assertEqual(client.read("ack")["room"], shown)

    def test_what_is_no_name_of_a_user(self) -> None:
        for what, name in NO_NAMES.items():
            with self.subTest(what):
                self.assertEqual(self.refused_login(name)["code"], "bad_name")

    def test_what_is_no_name_of_a_room(self) -> None:
        client = self.login()
        for what, name in NO_NAMES.items():
            with self.subTest(what):
                client.say("join", room=name)
                self.assert_error(client.read("error"), "bad_name", room=name)
                self.assertEqual(self.refused_login(fresh("user"), rooms={name: None})["code"], "bad_name")
        self.assert_lives(client)

    def test_a_name_in_use_under_any_spelling_is_taken(self) -> None:
        for first, *others in ONE:
            tag = fresh("-")
            self.login(first + tag)
            for other in others:
                with self.subTest(first, other=other):
                    self.assertEqual(self.refused_login(other + tag)["code"], "name_taken")

    def test_rooms_of_any_spelling_are_one(self) -> None:
        for first, *others in ONE:
            tag = fresh("-")
            shown = self.login().join(first + tag)["room"]
            for other in others:
                with self.subTest(first, other=other):
                    self.assertEqual(self.login().join(other + tag)["room"], shown)

    def test_the_plain_client_folds_alike(self) -> None:
        for spellings in ONE:
            self.assertEqual(len({fold(spelling) for spelling in spellings}), 1)

    def test_the_room_of_a_talk_of_two(self) -> None:
        client = self.login()
        client.say("join", room="@bob")
        self.assertIn(client.read("error")["code"], ("bad_name", "forbidden"))
        self.assert_lives(client)
