"""Randomness that can be repeated."""

from __future__ import annotations

import os
import random


def seeded() -> random.Random:
    """Return a random source whose seed is printed; SEED in the environment repeats a run."""
    seed = int(os.environ.get("SEED") or random.randrange(2**32))
    print(f"SEED={seed}", flush=True)
    return random.Random(seed)


def times(variable: str, default: int) -> int:
    """Return how often something is to be done: what the environment says, few where it says nothing."""
    return int(os.environ.get(variable) or default)
