"""Logging: one line an event on stderr, `time level logger message key=value…`, with the id of the request.

Log with the standard library: `log.info("started", extra={"fields": {"port": 5000}})`.
"""

import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime

log = logging.getLogger("minleaf")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered; the gate sets it, every line that is logged meanwhile carries it."""


class LineFormatter(logging.Formatter):
    """Makes one line of a record. Line ends in a message are escaped, so that nobody can forge a second line."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = f"{time} {record.levelname.lower()} {record.name} {_one_line(record.getMessage())}"
        fields = getattr(record, "fields", None)
        pairs = dict(fields) if isinstance(fields, Mapping) else {}
        if request_id.get():
            pairs["request_id"] = request_id.get()
        line += "".join(f" {key}={_value(str(value))}" for key, value in pairs.items())
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def set_up(level: str) -> None:
    """Send every log record of at least this level ("debug" … "error") to stderr, in place of earlier handlers."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # What these tell at info is how they work inside; uvicorn's start is announced by the command line.
    for name in ("uvicorn", "uvicorn.error", "alembic", "asyncio"):
        quiet = logging.getLogger(name)
        quiet.handlers.clear()
        quiet.propagate = True
        quiet.setLevel(logging.DEBUG if level == "debug" else logging.WARNING)


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _value(text: str) -> str:
    text = _one_line(text)
    if text and not any(char in ' "=' for char in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
