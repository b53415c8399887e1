"""Counting failed attempts to log in, and what is kept of a password."""

from minleaf_server.app.attempts import FAILURES_MAX, FAILURES_OF_ADDRESS_MAX, WINDOW_SECONDS, Attempts
from minleaf_server.tracking.passwords import hashed, matches
from tests.support.auth import PASSWORD


def test_attempts_are_counted_by_address_and_name_in_bounded_memory() -> None:
    now = 0.0
    attempts = Attempts(lambda: now)
    for _ in range(FAILURES_MAX):
        assert attempts.wait("a", "u") == 0
        attempts.failed("a", "u")
    assert attempts.wait("a", "u") == WINDOW_SECONDS + 1
    assert attempts.wait("a", "v") == attempts.wait("b", "u") == 0
    now = WINDOW_SECONDS
    assert attempts.wait("a", "u") == 0
    attempts.failed("a", "u")
    assert attempts.wait("a", "u") == 0
    for name in range(FAILURES_OF_ADDRESS_MAX):
        attempts.failed("c", str(name))
    assert attempts.wait("c", "new") > 0
    for name in range(50_000):
        attempts.failed(str(name), "u")
    assert len(attempts) <= 20_000


def test_passwords_at_rest() -> None:
    kept = hashed(PASSWORD)
    assert PASSWORD not in kept
    assert kept != hashed(PASSWORD)
    assert matches(PASSWORD, kept)
    assert not matches(PASSWORD + "x", kept)
    assert not matches("", "")
    assert not matches(PASSWORD, "")
