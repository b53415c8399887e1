"""Regular expressions: the common part, as each engine spells it."""

import pytest

from minleaf_server.filters import fold
from minleaf_server.filters.pattern import PatternError, compile_pattern


@pytest.mark.parametrize(
    ("text", "re2", "postgres"),
    [
        ("^a.b$", "^a.b$", "^a.b$"),
        (r"\d\w\s", r"[0-9][0-9A-Za-z_][ \t\n\r\f\v]", r"[0-9][0-9A-Za-z_][ \t\n\r\f\v]"),
        (r"\bx\B", r"\bx\B", r"\yx\Y"),
        (r"\\b", r"\\b", r"\\b"),
        ("(a|b)*?c+?", "(?:a|b)*c+", "(?:a|b)*c+"),
        ("(?i)k1", "[Kk]1", "[Kk]1"),
        ("(?i)[^a-b]", "[^a-bAB]", "[^a-bAB]"),
        ("a{2}b{1,}c{0,3}", "a{2}b{1,}c{0,3}", "a{2}b{1,}c{0,3}"),
        (r"[\]a\-^[]", r"[\]a\-\^\[]", r"[\]a\-\^\[]"),
        ("[]a]", r"[\]a]", r"[\]a]"),
        (r"\x41\u00e9", "Aé", "Aé"),
    ],
)
def test_spelling(text: str, re2: str, postgres: str) -> None:
    pattern = compile_pattern(text)
    assert pattern.re2 == f"(?s){re2}"
    assert pattern.postgres == f"(?s){postgres}"


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("a)", 1),
        ("(a", 0),
        ("[a", 0),
        ("*a", 0),
        ("a**", 2),
        ("a++", 2),
        ("a{2}{3}", 4),
        ("^*", 1),
        ("a{3,2}", 1),
        ("{2}", 0),
        ("x{,2}", 1),
        (r"(a)\1", 3),
        (r"\p{L}", 0),
        ("a\\", 1),
        ("(?=a)", 0),
        ("(?P<n>a)", 0),
        ("x(?i)a", 1),
        ("[[:alpha:]]", 1),
        ("[b-a]", 1),
        (r"\x00", 0),
        ("(?i)[\u0100-\uffff]", 5),
    ],
)
def test_what_is_refused_and_where(text: str, position: int) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(text)
    assert caught.value.position == position


def test_letters_and_their_cases() -> None:
    assert fold.variants("k") == "Kk"
    assert set(fold.variants("é")) == {"é", "É"}
    assert set(fold.variants("ß")) == {"ß", "ẞ"}
    assert set(fold.variants("Ǆ")) == {"Ǆ", "ǅ", "ǆ"}
    assert fold.variants("1") == "1"
    assert fold.fold("ÉA\u212a") == "éa\u212a"


def test_variants_are_exactly_what_folds_alike() -> None:
    for code in range(0x2000):
        character = chr(code)
        for variant in fold.variants(character):
            assert fold.lower(variant) == fold.lower(character)
        assert character in fold.variants(character)
