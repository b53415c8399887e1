"""Log lines."""

import logging
import re
from collections.abc import Callable, Iterator

import pytest

from minleaf_server import log


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    root.handlers[:] = before
    root.setLevel(level)


def test_one_line_with_fields_and_request(line: Callable[[], str]) -> None:
    log.set_up("info")
    token = log.request_id.set("ab-1")
    log.log.info("it is %s", "on", extra={"fields": {"port": 5000, "path": 'a "b"', "empty": ""}})
    log.request_id.reset(token)
    text = line()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z info minleaf it is on .*\n", text)
    assert text.endswith(' port=5000 path="a \\"b\\"" empty="" request_id=ab-1\n')


def test_nobody_forges_a_second_line(line: Callable[[], str]) -> None:
    log.set_up("info")
    log.log.warning("name %s", "x\n2026-11-23T00:00:00Z error minleaf forged\x1b[2J", extra={"fields": {"k": "a\r\nb"}})
    assert line().count("\n") == 1


def test_level(line: Callable[[], str]) -> None:
    log.set_up("info")
    log.log.debug("not wanted")
    logging.getLogger("uvicorn.error").info("not wanted either")
    logging.getLogger("uvicorn.error").warning("wanted")
    assert re.fullmatch(r".* warning uvicorn\.error wanted\n", line())


def test_exception_is_printed(line: Callable[[], str]) -> None:
    log.set_up("info")
    try:
        raise ZeroDivisionError("why")
    except ZeroDivisionError:
        log.log.exception("failed")
    text = line()
    assert "error minleaf failed\nTraceback" in text
    assert "ZeroDivisionError: why" in text
