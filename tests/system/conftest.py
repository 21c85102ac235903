"""The shared server is ended, as an operator would, with the last test: only then does its coverage count."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.case import shared_server


@pytest.fixture(scope="session", autouse=True)
def ended() -> Iterator[None]:
    yield
    if shared_server.cache_info().currsize:
        shared_server().terminate()
