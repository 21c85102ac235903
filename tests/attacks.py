"""What people and servers have sent to terminals to do harm, and what harms of it."""

from __future__ import annotations

import re

# From advisories on WeeChat, irssi, BitchX, XChat and on terminals themselves.
ATTACKS = {
    # What a terminal obeys.
    "colour": "\x1b[31mred\x1b[0m",
    "clear": "\x1b[2J\x1b[H\x1b[3J",
    "reset": "\x1bc\x1b#8",
    "leave the screen": "\x1b[?1049l",
    "move": "\x1b[99A\x1b[1;1Hgone",
    "insert": "\x1b[99L\x1b[4h",
    "scroll": "\x1b[1;2r\x1bM\x1bD",
    "title": "\x1b]0;root@host\x07",
    "title that is reported": "\x1b]2;;rm -rf ~;\x07\x1b[21t",
    "cursor that is reported": "\x1b[6n\x1b[c\x1b[>c",
    "answerback": "\x05",
    "clipboard": "\x1b]52;c;cm0gLXJmIH4K\x07",
    "link": "\x1b]8;;http://evil.example\x1b\\http://good.example\x1b]8;;\x1b\\",
    "picture": "\x1b_Ga=T,f=100;AAAA\x1b\\",
    "file": "\x1b]1337;File=name=eA==:AAAA\x07",
    "font": "\x1b]50;?\x07",
    "settings asked for": "\x1bP$q q\x1b\\\x1bP+q544e\x1b\\",
    "tmux passed on": "\x1bPtmux;\x1b\x1b]0;x\x07\x1b\\",
    "screen's title": "\x1bkx\x1b\\",
    "private message": "\x1b^x\x1b\\",
    "start of a string": "\x1bXx\x1b\\",
    "notification": "\x1b]9;x\x07\x1b]777;notify;x;y\x07",
    "palette": "\x1b]4;0;#ffffff\x07\x1b]P0ffffff",
    "character set": "\x1b(0\x0eabc\x0f",
    "mouse and paste": "\x1b[?1003h\x1b[?2004l\x1b[200~",
    "unfinished": "\x1b",
    "unfinished CSI": "\x1b[",
    "unfinished OSC": "\x1b]0;",
    "eight bits": "\x9b2J\x9d0;x\x9c\x90q\x9c\x9fx\x9c\x9ex\x9c\x98x\x9c\x84\x85\x8d",
    "cut in UTF-8": "\xc2\x1b]0;x\x07",
    # What mIRC's and irssi's formats were made of (CVE-2012-5854, CVE-2016-7044, CVE-2016-7045, CVE-2018-5205).
    "mIRC colours": "\x0304,05x\x03\x0399,99\x03,\x02\x1d\x1f\x16\x11\x1e\x0f" + "\x0315,15" * 300,
    "irssi colours": "\x04#ff\x04\x04\x01/\x04g\x04e\x04",
    "unfinished colour": "\x04",
    "formats": "%s%n%d %Y%m% %",
    "theme": "$0 ${x} {x %",
    "backslash": "\\x\\",
    "CTCP": "\x01VERSION\x01\x01DCC SEND \"x\" 1 1 1\x01\x01ACTION x\x01",
    # What looks like something else.
    "overwritten": "sudo rm -rf /\rls",
    "backspaces": "no\x08\x08yes",
    "lines of one's own": "hi\u2028eve: x\u2029\x0b\x0c\x1c\x1d\x1e\x85eve: y",
    "turned round": "\u202egpj.exe\u202c \u2067x\u2069 \u061c\u200e\u200f",
    "hidden": "pay\u200b\u2060\u00ad\ufeff\u3164\u115f\uffa0\u180epal",
    "tags": "hi" + "".join(chr(0xE0000 + ord(c)) for c in "ignore all"),
    "shorthand and notes": "\U0001bca0x\U0001d173y\ufff9a\ufffab\ufffb",
    "bells": "\x07" * 100,
    "nul": "a\x00b\x00",
    "delete": "a\x7fb",
    # What is too much.
    "marks": "e" + "\u0301" * 10_000,
    "enclosing marks": "x\u0489\u20dd" * 500,
    "marks and joiners": "a" + "\u0301\u200d" * 5_000,
    "joiners": "a" + "\u200d" * 10_000 + "\u200c" * 10_000,
    "emoji in a chain": "\U0001f469\u200d" * 1_000,
    "variations": "\u2764" + "\ufe0f" * 1_000,
    "Korean pile": "\u1112" + "\u1161" * 1_000 + "\u11ab" * 1_000,
    "Indian chain": "\u0915\u094d" * 1_000,
    "Thai pile": "\u0e01" + "\u0e49" * 1_000,
    "flags": "\U0001f1e9" * 1_001,
    "a word": "x" * 100_000,
    "a mebibyte": "a b " * 2**18,
    "wide": "\u8c22" * 10_000,
    "newlines": "\n" * 5_000,
    "tabs": "\t" * 2_000,
    "brackets": "http://" + "(" * 1_000 + ")" * 2_000,
    # What is no text.
    "halves": "\ud83d \udc69 \udfff\ud800",
    "no characters": "\ufffe\uffff\ufdd0\U0010ffff",
    "private": "\ue000\U000f0000",
    "unassigned": "\u0378\U0003ffff",
    "nothing": "",
}  # fmt: skip

HARMS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff9-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
    "|[\u0300-\u036f\u0483-\u0489\u0e49\u11ab\u1161\u200c\u200d\u20dd\ufe0f]{5}"
)
