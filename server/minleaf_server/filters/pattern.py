"""Patterns: the part of regular expressions that RE2 and Postgres understand alike, and `like` patterns as such.

Neither back-references nor looking around are in it, so both engines answer in time linear in the text. Character
classes are written out and `(?i)` becomes classes of both cases, so that no locale has a say.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from minleaf_server.filters import fold, limits
from minleaf_server.filters.errors import FilterError
from minleaf_server.filters.tree import Literal, Operator

_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": " \\t\\n\\r\\f\\v"}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_BOUNDS = re.compile(r"\{([0-9]{1,4})(,?)([0-9]{0,4})\}")
_HEX = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})")
_RANGE_FOLDED = 1024


@dataclass(frozen=True, slots=True)
class Pattern:
    """One regular expression as each engine spells it. Both search anywhere in the text."""

    re2: str
    postgres: str


def check_pattern(operator: Operator, literal: Literal, text: str) -> None:
    """Raises FilterError for a pattern that cannot be run; `operator` is LIKE, ILIKE or MATCH."""
    if operator is Operator.MATCH:
        try:
            compile_pattern(literal.text)
        except PatternError as error:
            start = literal.start + literal.quoted + error.position
            message = f"In the regular expression: {error}"
            raise FilterError(text, start, start + 1, message, error.hint) from None
        return
    limit = limits.MAX_PATTERN if operator is Operator.LIKE or literal.text.isascii() else limits.MAX_FOLDED
    if len(literal.text) > limit:
        message = f"The pattern has {len(literal.text)} characters; at most {limit} are allowed."
        raise FilterError(text, literal.start, literal.end, message)


class PatternError(Exception):
    """What is wrong with a regular expression, at `position` in it."""

    def __init__(self, position: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.position = position
        self.hint = hint


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Pattern:
    """A regular expression for both engines. Raises PatternError for what is outside of the common part."""
    if len(text) > limits.MAX_REGEX:
        message = f"it has {len(text)} characters; at most {limits.MAX_REGEX} are allowed."
        raise PatternError(limits.MAX_REGEX, message)
    ignore_case = text.startswith("(?i)")
    translator = _Translator(text, 4 if ignore_case else 0, ignore_case)
    return _pattern(translator.translate())


def ilike_pattern(text: str, anywhere: bool = False) -> Pattern:
    """An `ilike` pattern that the whole text must match, or, `anywhere`, a plain text that it has in it."""
    if anywhere:
        return _pattern("".join(_one_of(fold.variants(character)) for character in text))
    wildcards = {"%": ".*", "_": "."}
    return _pattern(f"^{''.join(wildcards.get(c) or _one_of(fold.variants(c)) for c in text)}$")


def _pattern(source: str) -> Pattern:
    # (?s): the dot takes newlines too, in both. Word boundaries are the only thing that the two spell differently.
    spelled = re.sub(r"\\(.)", lambda m: {"b": r"\y", "B": r"\Y"}.get(m[1], m[0]), source, flags=re.DOTALL)
    return Pattern(re2=f"(?s){source}", postgres=f"(?s){spelled}")


class _Translator:
    """Recursive descent over a regular expression; each method gives the source and the size of what it read."""

    def __init__(self, text: str, start: int, ignore_case: bool) -> None:
        self._text = text
        self._at = start
        self._ignore_case = ignore_case
        self._depth = 0

    def translate(self) -> str:
        source, _ = self._alternatives()
        if self._at < len(self._text):
            raise PatternError(self._at, "')' closes nothing.", r"Write \) for the character.")
        return source

    def _alternatives(self) -> tuple[str, int]:
        branches = [self._branch()]
        while self._peek() == "|":
            self._at += 1
            branches.append(self._branch())
        return "|".join(source for source, _ in branches), sum(size for _, size in branches)

    def _branch(self) -> tuple[str, int]:
        sources, total = [], 0
        while self._peek() not in ("", "|", ")"):
            start = self._at
            source, size, repeatable = self._atom()
            source, size = self._repeat(source, size, repeatable)
            total += size
            if total > limits.MAX_REGEX_SIZE:
                message = f"it is larger than {limits.MAX_REGEX_SIZE} characters once its repetitions are written out."
                raise PatternError(start, message)
            sources.append(source)
        return "".join(sources), total

    def _atom(self) -> tuple[str, int, bool]:
        """One thing that may be repeated: its source, size, and whether it may."""
        character = self._peek()
        if character == "(":
            return self._group()
        if character == "[":
            return self._bracket(), 1, True
        if character == "\\":
            return self._escape()
        if character in "*+?":
            raise PatternError(self._at, f"'{character}' repeats nothing.", rf"Write \{character} for the character.")
        if character == "{":
            raise PatternError(self._at, "'{' repeats nothing.", r"Write \{ for the character.")
        self._at += 1
        if character in "^$":
            return character, 1, False
        return ("." if character == "." else self._literal(character)), 1, True

    def _group(self) -> tuple[str, int, bool]:
        start = self._at
        self._at += 1
        if self._peek() == "?":
            if not self._text.startswith("?:", self._at):
                hint = "(?i) may stand at the very start; groups are (…) or (?:…)."
                raise PatternError(start, "this kind of group is not supported.", hint)
            self._at += 2
        self._depth += 1
        if self._depth > limits.MAX_DEPTH:
            raise PatternError(start, f"more than {limits.MAX_DEPTH} groups stand inside each other.")
        source, size = self._alternatives()
        if self._peek() != ")":
            raise PatternError(start, "'(' is not closed.", r"Write \( for the character.")
        self._at += 1
        self._depth -= 1
        return f"(?:{source})" if source else "", max(size, 1), bool(source)

    def _escape(self) -> tuple[str, int, bool]:
        start = self._at
        self._at += 1
        character = self._peek()
        if character in ("b", "B"):
            self._at += 1
            return f"\\{character}", 1, False
        if character and character in "DWS":
            self._at += 1
            return f"[^{_CLASSES[character.lower()]}]", 1, True
        if character and character in "dws":
            self._at += 1
            return f"[{_CLASSES[character]}]", 1, True
        return self._literal(self._escaped(start)), 1, True

    def _escaped(self, start: int) -> str:
        """The character that an escape stands for; the backslash is consumed."""
        if match := _HEX.match(self._text, self._at):
            self._at = match.end()
            character = chr(int(match[1] or match[2], 16))
            if character == "\x00" or 0xD800 <= ord(character) < 0xE000:
                raise PatternError(start, f"U+{ord(character):04X} cannot occur in any stored text.")
            return character
        character = self._peek()
        self._at += 1
        if character in _CONTROLS:
            return _CONTROLS[character]
        if not character or character == "_" or character.isalnum():
            hint = r"There are \d \w \s \D \W \S \b \B \t \n \r \f \v \xHH \uHHHH; \\ is a backslash."
            raise PatternError(start, f"the escape '\\{character}' is not supported.", hint)
        return character

    def _literal(self, character: str) -> str:
        return _one_of(fold.variants(character)) if self._ignore_case else _one_of(character)

    def _repeat(self, source: str, size: int, repeatable: bool) -> tuple[str, int]:
        start, character = self._at, self._peek()
        bounds = _BOUNDS.match(self._text, start) if character == "{" else None
        if bounds is None and character not in ("*", "+", "?"):
            return source, size
        if not repeatable:
            raise PatternError(start, "an anchor or an empty group cannot be repeated.")
        self._at = bounds.end() if bounds else start + 1
        count, size = _bounds(bounds, start, size) if bounds else (character, size)
        if self._peek() == "?":  # As little as possible: whether it matches is the same.
            self._at += 1
        following = self._peek()
        if following in ("*", "+", "?") or (following == "{" and _BOUNDS.match(self._text, self._at)):
            raise PatternError(self._at, "a repetition cannot be repeated.", "Put the repeated part in (…).")
        return source + count, size

    def _bracket(self) -> str:
        start = self._at
        self._at += 1
        negated = self._peek() == "^"
        self._at += negated
        parts: list[str] = []
        while (character := self._peek()) != "]" or not parts:
            if not character:
                raise PatternError(start, "'[' is not closed.", r"Write \[ for the character.")
            parts.append(self._bracket_item())
        self._at += 1
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def _bracket_item(self) -> str:
        start = self._at
        if self._text[start : start + 2] in ("[:", "[.", "[="):
            raise PatternError(start, "classes such as [:alpha:] are not supported.", r"Use \w, \d or ranges.")
        if self._text[start] == "\\" and self._text[start + 1 : start + 2] in ("d", "w", "s"):
            self._at += 2
            return _CLASSES[self._text[start + 1]]
        low = self._bracket_character()
        if self._peek() != "-" or self._text[self._at + 1 : self._at + 2] in ("]", ""):
            return self._in_bracket(low)
        self._at += 1
        high = self._bracket_character()
        if high < low:
            raise PatternError(start, f"the range {low}-{high} runs backwards.")
        return self._folded_range(low, high, start)

    def _bracket_character(self) -> str:
        start = self._at
        self._at += 1
        character = self._text[start]
        return self._escaped(start) if character == "\\" else character

    def _in_bracket(self, character: str) -> str:
        return "".join(map(_escape_in_bracket, fold.variants(character) if self._ignore_case else character))

    def _folded_range(self, low: str, high: str, start: int) -> str:
        source = f"{_escape_in_bracket(low)}-{_escape_in_bracket(high)}"
        if not self._ignore_case:
            return source
        if ord(high) - ord(low) > _RANGE_FOLDED:
            raise PatternError(start, f"a range under (?i) has at most {_RANGE_FOLDED} characters.")
        letters = {v for code in range(ord(low), ord(high) + 1) for v in fold.variants(chr(code))}
        return source + "".join(map(_escape_in_bracket, sorted(v for v in letters if not low <= v <= high)))

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]


def _bounds(match: re.Match[str], start: int, size: int) -> tuple[str, int]:
    low, comma, high = match.groups()
    largest = int(high or low)
    if largest > limits.MAX_REGEX_REPEAT or int(low) > largest:
        raise PatternError(start, f"the numbers in {match[0]} must rise and be at most {limits.MAX_REGEX_REPEAT}.")
    if not comma and high:
        raise PatternError(start, f"{match[0]} is not a repetition.")
    return f"{{{int(low)}{comma}{int(high) if high else ''}}}", size * max(largest, 1) + (
        1 if comma and not high else 0
    )


def _one_of(characters: str) -> str:
    if len(characters) == 1:
        return re.escape(characters) if characters.isascii() and not characters.isalnum() else characters
    return f"[{''.join(map(_escape_in_bracket, characters))}]"


def _escape_in_bracket(character: str) -> str:
    return f"\\{character}" if character in "\\]^-[&~" else character
