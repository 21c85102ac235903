"""Which names look alike: Unicode's confusables, by the data of confusable_homoglyphs."""

from __future__ import annotations

from functools import cache
from typing import Any
from unicodedata import normalize

from confusable_homoglyphs.utils import load

from wire.names import fold

MAX_LIKENESS = 255  # characters; those of the longest name are fewer


def likeness(name: str) -> str:
    """Return what all names have in common that look like ``name``, which is as it is shown (NFKC).

    Case does not count: neither in which it is written, nor in which another script's letter looks like one.
    """
    shape = _shapes()
    return _drawn(fold(_drawn(name, shape)), shape)[:MAX_LIKENESS]


def _drawn(text: str, shape: dict[int, str]) -> str:
    return normalize("NFD", normalize("NFD", text).translate(shape))


@cache
def _shapes() -> dict[int, str]:
    """Return what each confusable character is drawn as.

    The data tells of each form which others look like it. Those that look like only one are drawn as that; where both
    of two tell only of each other, the first one counts.
    """
    alike = {_bare(form): [_bare(other["c"]) for other in others] for form, others in _data().items()}
    shape = {
        ord(form): other
        for form, (other, *more) in alike.items()
        if len(form) == 1 and not more and (len(other) > 1 or len(alike[other]) > 1 or other < form)
    }
    return {form: other.translate(shape) for form, other in shape.items()}


def _data() -> dict[str, list[dict[str, Any]]]:
    data: dict[str, list[dict[str, Any]]] = load("confusables.json")  # not kept: it takes ten times what we make of it
    return data


def _bare(form: str) -> str:
    return form.replace("\u200e", "")  # stands around what is written from right to left
