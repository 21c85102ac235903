"""How what is shown looks."""

from __future__ import annotations

PALETTE = [
    ("time", "dark gray", "default"),
    ("name", "default,bold", "default"),
    ("talk", "default", "default"),
    ("action", "dark magenta", "default"),
    ("deleted", "dark gray", "default"),
    ("notice", "dark cyan", "default"),
    ("unsent", "dark gray", "default"),
    ("refused", "dark red", "default"),
    ("prompt", "default,bold", "default"),
    ("status", "default,standout", "default"),
    ("alarm", "dark red,standout", "default"),
    ("line", "dark gray", "default"),
    ("room", "default", "default"),
    ("here", "default,standout", "default"),
    ("unread", "dark cyan,bold", "default"),
    ("mention", "dark magenta,bold", "default"),
]
