"""The origins that an operator may name, and what is no origin."""

import pytest

from minleaf_server.app.origins import CorsRules, preflight_headers
from minleaf_server.errors import SetupError


def test_nobody_is_allowed_unless_named() -> None:
    rules = CorsRules()
    assert not rules
    assert not rules.allows(b"http://localhost:3000")
    assert not rules.allows(b"null")
    assert rules.headers(b"http://localhost:3000") == []


def test_an_origin_is_scheme_name_and_port() -> None:
    rules = CorsRules(["https://App.Example.org/", "http://localhost:3000", "https://port.example:443"])
    for origin in (b"https://app.example.org", b"http://localhost:3000", b"https://port.example"):
        assert rules.allows(origin), origin
    for origin in (
        None,
        b"",
        b"null",
        b"http://app.example.org",
        b"https://app.example.org:8443",
        b"https://app.example.org.evil.com",
        b"https://evil.com/app.example.org",
        b"http://localhost",
        b"http://localhost:30000",
    ):
        assert not rules.allows(origin), origin


def test_a_wildcard_stands_for_the_names_below_a_domain() -> None:
    rules = CorsRules(["https://*.example.org", "http://*.lab.example:3000"])
    for origin in (b"https://a.example.org", b"https://a.b.example.org", b"http://a.lab.example:3000"):
        assert rules.allows(origin), origin
    for origin in (
        b"https://example.org",
        b"https://evilexample.org",
        b"http://a.example.org",
        b"https://evil.com@a.example.org",
        b"https://evil.com/x.example.org",
        b"http://a.lab.example",
    ):
        assert not rules.allows(origin), origin


@pytest.mark.parametrize(
    "entry", ["*", "https://*", "null", "app.example.org", "ftp://a.org", "https://a.org/path", "https://*.*.org", ""]
)
def test_what_is_no_origin_stops_the_start(entry: str) -> None:
    with pytest.raises(SetupError, match="--cors-allowed-origins"):
        CorsRules([entry])


def test_only_header_names_are_repeated() -> None:
    names = [value for name, value in preflight_headers(b"content-type, x-a") if name.endswith(b"allow-headers")]
    assert names == [b"content-type, x-a"]
    assert not [1 for name, _ in preflight_headers(b"a\r\nx: y") if name.endswith(b"allow-headers")]
