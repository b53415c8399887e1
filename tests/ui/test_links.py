"""Every address a page links to."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.ui.links import Links, outside_url

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def test_links_stand_below_the_prefix() -> None:
    links = Links("/minleaf", "abc")
    assert links.home() == "/minleaf/"
    assert links.experiment(7, [("filter", "a = 1")]) == "/minleaf/experiments/7?filter=a%20%3D%201"
    assert links.names(7) == "/minleaf/experiments/7/names"
    assert links.run("ab/c") == "/minleaf/runs/ab%2Fc"
    assert links.compare(["a", "b"], [("differences", "1")]) == "/minleaf/compare?run=a&run=b&differences=1"
    assert links.static("app.css") == "/minleaf/static/app.css?v=abc"
    assert Links().search() == "/search"


@given(st.lists(st.tuples(TEXTS, TEXTS)))
def test_any_text_survives_a_query(pairs: list[tuple[str, str]]) -> None:
    url = Links().home(pairs)
    assert url.isascii()
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=bool(pairs)) == pairs


@pytest.mark.parametrize(
    "text", ["https://example.org/a?b=<c>", "http://10.0.0.1:8080/", "https://user@host/x#y", "HTTPS://EXAMPLE.ORG"]
)
def test_web_addresses_are_linked(text: str) -> None:
    assert outside_url(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/\\evil",
        "https:evil",
        "https://",
        "ftp://host/x",
        "https://a b",
        "https://a\nb",
        "\x01https://a",
        "java\tscript:alert(1)",
        "https://[",
        "see https://example.org",
        "",
    ],
)
def test_nothing_else_is_linked(text: str) -> None:
    assert outside_url(text) is None
