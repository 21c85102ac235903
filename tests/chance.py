"""Randomness that can be repeated, and how often something is done."""

from __future__ import annotations

import os
import random


def new_seed() -> int:
    """Return a seed, and print it; SEED in the environment repeats a run."""
    seed = int(os.environ.get("SEED") or random.randrange(2**32))
    print(f"SEED={seed}", flush=True)
    return seed


def times(variable: str, few: int) -> int:
    """Return how often something is to be done: what the environment says, ``few`` where it says nothing."""
    return int(os.environ.get(variable) or few)
