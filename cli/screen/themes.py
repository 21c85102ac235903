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
    ("status", "default,standout", "default"),
]
