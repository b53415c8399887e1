"""The scenario of `classic.py` with the client that is installed."""

from collections.abc import Callable

import pytest

from tests.compat.classic import CHECKS
from tests.compat.classic_bench import Bench
from tests.support.server import RunningServer


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_classic(shared_server: RunningServer, check: Callable[[Bench], None]) -> None:
    check(Bench(shared_server.url))
