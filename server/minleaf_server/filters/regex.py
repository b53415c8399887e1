"""Regular expressions in the spelling of RE2, ready to be searched with."""

from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

REGEX_MEMORY = 32 * 2**20
"""Bytes that RE2 may use for one expression; beyond, it works slower in less."""


@lru_cache(maxsize=64)
def compiled(pattern: str) -> Any:
    """The expression as RE2 has it, which answers in time linear in the text."""
    options = re2.Options()
    options.max_mem = REGEX_MEMORY
    options.log_errors = False
    return re2.compile(pattern, options)
