"""Frames: what goes in comes out, and whatever else comes in is refused with as much as could be read of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args
from unittest import TestCase

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.inspect import BoolType, DictType, IntType, ListType, NoneType, StrType, StructType, UnionType

from wire.frames import (
    MAX_BODY,
    MAX_FRAME,
    BadFrame,
    ClientFrame,
    Echo,
    Frame,
    FrameDecoder,
    Message,
    Ping,
    Send,
    ServerFrame,
    encode,
    from_client,
    from_server,
)

text = st.text(st.characters(exclude_categories=["Cs"]))


def values(type: Any) -> st.SearchStrategy[Any]:
    """Any value that a field of this type may have."""
    match type:
        case IntType():
            return st.integers(type.ge, type.le)
        case StrType():
            return text.filter(lambda s: type.max_length is None or len(s) <= type.max_length)
        case BoolType():
            return st.booleans()
        case NoneType():
            return st.none()
        case ListType():
            return st.lists(values(type.item_type), max_size=3)
        case DictType():
            return st.dictionaries(values(type.key_type), values(type.value_type), max_size=3)
        case UnionType():
            return st.one_of([values(each) for each in type.types])
        case StructType():
            return structs(type.cls)
        case _:
            raise NotImplementedError(type)


def structs(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Any struct of this class, with and without what may be left out."""
    info = msgspec.inspect.type_info(cls)
    assert isinstance(info, StructType)
    required = {field.name: values(field.type) for field in info.fields if field.required}
    optional = {field.name: values(field.type) for field in info.fields if not field.required}
    fields = st.fixed_dictionaries(required, optional=optional)
    return fields.map(lambda given: cls(**given))


client_frames = st.sampled_from(get_args(ClientFrame)).flatmap(structs)
server_frames = st.sampled_from(get_args(ServerFrame)).flatmap(structs)


def payload(netstring: bytes) -> bytes:
    """Take a netstring apart, by the letter of the protocol."""
    length, _, rest = netstring.partition(b":")
    assert length == b"%d" % int(length)
    assert len(rest) == int(length) + 1
    assert rest.endswith(b",")
    return rest[:-1]


class RoundTripTests(TestCase):
    @given(client_frames, st.binary(max_size=100))
    def test_of_a_client(self, frame: Frame, body: bytes) -> None:
        self.assertEqual(from_client.decode(payload(encode(frame, body))), (frame, body))

    @given(server_frames, st.binary(max_size=100))
    def test_of_the_server(self, frame: Frame, body: bytes) -> None:
        self.assertEqual(from_server.decode(payload(encode(frame, body))), (frame, body))

    @given(st.one_of(client_frames, server_frames), st.binary(max_size=100))
    def test_any_reader_of_json_can_read_them(self, frame: Frame, body: bytes) -> None:
        header, _, rest = payload(encode(frame, body)).partition(b"\n")
        read = json.loads(header)
        self.assertEqual(read["type"], frame.__struct_config__.tag)
        self.assertEqual(rest, body)
        for name in frame.__struct_encode_fields__:
            left_out = getattr(frame, "sender" if name == "from" else name) is UNSET
            self.assertEqual(name not in read, left_out, name)

    def test_the_example_of_the_protocol(self) -> None:
        message = Message(room="lobby", id=1018, sender="ann", at=1764000000000)
        written = b'81:{"type":"message","room":"lobby","id":1018,"from":"ann","at":1764000000000}\nhello,'
        self.assertEqual(encode(message, b"hello"), written)
        self.assertEqual(from_server.decode(payload(written)), (message, b"hello"))

    def test_a_missing_body_and_an_empty_one_are_the_same(self) -> None:
        self.assertEqual(from_client.decode(b'{"type":"ping"}'), (Ping(), b""))
        self.assertEqual(from_client.decode(b'{"type":"ping"}\n'), (Ping(), b""))

    def test_a_body_is_raw_bytes_newlines_too(self) -> None:
        self.assertEqual(from_client.decode(b'{"type":"send","seq":1}\n\n\xff\x00\n'), (Send(seq=1), b"\n\xff\x00\n"))

    def test_every_header_fits_beside_the_longest_body(self) -> None:
        longest = "\U0010ffff" * 32
        frame = Message(
            room=longest, id=2**53 - 1, sender=longest, at=2**53 - 1, size=2**53 - 1, name="\\" * 255, ref=2**53 - 1
        )
        self.assertLessEqual(len(payload(encode(frame, b"x" * MAX_BODY))), MAX_FRAME)


class UnknownFieldTests(TestCase):
    @given(
        client_frames, st.dictionaries(text.map("x-".__add__), st.recursive(st.none() | st.integers() | text, st.lists))
    )
    def test_they_are_ignored(self, frame: Frame, more: dict[str, Any]) -> None:
        header = json.loads(payload(encode(frame))) | more
        for ascii in (True, False):
            self.assertEqual(from_client.decode(json.dumps(header, ensure_ascii=ascii).encode()), (frame, b""))


class BadFrameTests(TestCase):
    def refused(self, header: bytes | str, decoder: FrameDecoder[Any] = from_client) -> BadFrame:
        with self.assertRaises(BadFrame) as caught:
            decoder.decode(header if isinstance(header, bytes) else header.encode())
        self.assertTrue(str(caught.exception), "no reason is given")
        return caught.exception

    def no_header(self, header: bytes | str) -> None:
        bad = self.refused(header)
        self.assertIsNone(bad.type, header)
        self.assertFalse(bad.unknown, header)

    def bad_field(self, header: bytes | str, type: str) -> BadFrame:
        bad = self.refused(header)
        self.assertEqual(bad.type, type, header)
        return bad

    def decodes_or_refuses(self, decode: Callable[[bytes], Any], data: bytes) -> None:
        try:
            frame, body = decode(data)
        except BadFrame:
            return
        self.assertIsInstance(frame, Frame)
        self.assertTrue(data.endswith(body))

    @given(st.binary(max_size=200))
    def test_random_bytes(self, data: bytes) -> None:
        self.decodes_or_refuses(from_client.decode, data)
        self.decodes_or_refuses(from_server.decode, data)

    @given(client_frames, st.data())
    def test_a_frame_with_a_byte_changed(self, frame: Frame, data: st.DataObject) -> None:
        header = bytearray(payload(encode(frame)))
        header[data.draw(st.integers(0, len(header) - 1))] = data.draw(st.integers(0, 255))
        self.decodes_or_refuses(from_client.decode, bytes(header))

    @given(
        client_frames,
        st.sampled_from(["type", "seq", "ref", "room", "upload", "user", "rooms", "limit"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=4,
        ),
    )
    def test_a_field_of_any_kind(self, frame: Frame, name: str, value: Any) -> None:
        header = json.loads(payload(encode(frame))) | {name: value}
        self.decodes_or_refuses(from_client.decode, json.dumps(header).encode())

    def test_what_is_no_header(self) -> None:
        for header in (
            "", " ", "\n{}", "null", "17", '"send"', "[]", "{}", "{", "}", '{"type"', '{"type":"ping"',
            '{"type":"ping"}}', '{"type":"ping"} x', '{"seq":1}', '{"type":1}', '{"type":null}', '{"type":["send"]}',
            "{'type':'ping'}", '{"type":"ping",}', '\ufeff{"type":"ping"}', '{"type":\n"ping"}',
        ):  # fmt: skip
            self.no_header(header)

    def test_nan_and_infinity_are_no_json(self) -> None:
        for number in ("NaN", "Infinity", "-Infinity", "nan", "01", "+1", ".5", "1.", "0x10"):
            self.no_header(f'{{"type":"send","seq":{number}}}')
            self.no_header(f'{{"type":"ping","x":{number}}}')

    def test_broken_utf8_anywhere(self) -> None:
        for broken in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"):
            self.no_header(b'{"type":"join","room":"%b"}' % broken)
            self.no_header(b'{"type":"ping","x":"%b"}' % broken)
            self.no_header(b'{"type":"ping","%b":1}' % broken)

    def test_unpaired_surrogates_anywhere(self) -> None:
        for half in (r"\ud800", r"\udfff", r"\ud800\ud800", r"\udc00\ud800", r"a\uD83Dz"):
            self.no_header(f'{{"type":"join","room":"{half}"}}')
            self.no_header(f'{{"type":"ping","x":"{half}"}}')
            self.no_header(f'{{"type":"ping","x":[{{"{half}":1}}]}}')

    def test_paired_surrogates_are_text(self) -> None:
        frame, _ = from_client.decode(rb'{"type":"join","room":"\ud83d\ude00"}')
        self.assertEqual(getattr(frame, "room", None), "\U0001f600")

    def test_depth(self) -> None:
        def nested(levels: int, opened: str = "[", closed: str = "]") -> str:
            return f'{{"type":"ping","x":{opened * (levels - 1)}{closed * (levels - 1)}}}'

        self.assertEqual(from_client.decode(nested(16).encode()), (Ping(), b""))
        self.assertEqual(from_client.decode(nested(16, '{"a":', "}").replace(":}", ":1}").encode()), (Ping(), b""))
        for deep in (17, 1000, 30_000):
            self.no_header(nested(deep))
        self.no_header(nested(17, '{"a":', "}").replace(":}", ":1}"))
        mixed = '{"type":"ping","x":' + '[{"a":' * 7 + "[1]" + "}]" * 7 + "}"
        self.assertEqual(from_client.decode(mixed.encode()), (Ping(), b""))
        self.no_header(mixed.replace("1", "[]"))

    def test_many_beside_each_other_are_not_deep(self) -> None:
        for wide in ('[[],[],["]"],{}]', "[" + ",".join(["[]"] * 1000) + "]"):
            self.assertEqual(from_client.decode(f'{{"type":"ping","x":{wide}}}'.encode()), (Ping(), b""))

    def test_brackets_in_a_string_are_text(self) -> None:
        for said in ("[" * 100, '\\"' + "{" * 100, "\\\\", '[\\\\\\"' + "[" * 20):
            self.assertEqual(from_client.decode(f'{{"type":"ping","x":"{said}"}}'.encode()), (Ping(), b""))

    def test_numbers_have_a_range_and_are_whole(self) -> None:
        for number in (
            "-1",
            "9007199254740992",
            "18446744073709551616",
            "9" * 400,
            "1.0",
            "1.5",
            "true",
            '"1"',
            "null",
        ):
            self.bad_field(f'{{"type":"send","seq":{number}}}', "send")
        for seq in (0, 2**53 - 1):
            self.assertEqual(from_client.decode(f'{{"type":"send","seq":{seq}}}'.encode()), (Send(seq=seq), b""))

    def test_numbers_have_no_exponent(self) -> None:
        for number in ("1e3", "1E0", "1e400"):
            self.refused(f'{{"type":"send","seq":{number}}}')

    def test_a_field_that_is_missing_or_wrong(self) -> None:
        for header, type in (
            ('{"type":"send"}', "send"),
            ('{"type":"login"}', "login"),
            ('{"type":"login","user":17}', "login"),
            ('{"type":"login","user":"ann","rooms":{"lobby":-1}}', "login"),
            ('{"type":"login","user":"ann","rooms":["lobby"]}', "login"),
            ('{"type":"login","user":"ann","key":"%s"}' % ("k" * 65), "login"),
            ('{"type":"history","ref":1}', "history"),
            ('{"type":"who","ref":1,"room":null}', "who"),
            ('{"type":"search","ref":1,"limit":1,"query":"%s"}' % ("q" * 1001), "search"),
        ):
            self.bad_field(header, type)

    def test_longest_secret_and_query(self) -> None:
        from_client.decode(b'{"type":"login","user":"ann","key":"%b","client":"%b"}' % (b"k" * 64, b"c" * 64))
        from_client.decode(b'{"type":"search","ref":1,"limit":1,"query":"%b"}' % (b"q" * 1000))

    def test_the_other_side_is_not_listened_to(self) -> None:
        for only_servers in ("welcome", "ack", "message", "bye", "error", "joined", "SEND", "Send", "", "no such"):
            bad = self.refused(f'{{"type":"{only_servers}"}}')
            self.assertTrue(bad.unknown, only_servers)
            self.assertIsNone(bad.type)
        for only_clients in ("login", "send", "join", "quit"):
            self.assertTrue(self.refused(f'{{"type":"{only_clients}","seq":1,"user":"a"}}', from_server).unknown)

    def test_what_could_be_read_is_repeated(self) -> None:
        bad = self.bad_field('{"type":"send","seq":7,"ref":8,"room":17,"upload":9}', "send")
        self.assertEqual(bad.echo, Echo(seq=7, ref=8, upload=9))
        bad = self.bad_field('{"type":"who","ref":-8,"seq":1.5,"room":"caf\u00e9","upload":[]}', "who")
        self.assertEqual(bad.echo, Echo(room="caf\u00e9"))
        bad = self.refused('{"type":"dance","seq":1,"room":"lobby"}')
        self.assertEqual(bad.echo, Echo(seq=1, room="lobby"))
        self.assertEqual(msgspec.structs.asdict(Echo()), dict.fromkeys(["seq", "ref", "room", "upload"], UNSET))
