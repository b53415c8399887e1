import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from minleaf_server.errors import TooLarge
from minleaf_server.web.body import read_body


def sending(*messages: Message) -> Receive:
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0)

    return receive


def part(body: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_the_parts_are_joined() -> None:
    assert await read_body(sending(part(b"abc", more=False)), 3) == b"abc"
    assert await read_body(sending(part(b"a"), part(b""), part(b"bc", more=False)), 3) == b"abc"
    assert await read_body(sending({"type": "http.request"}), 0) == b""


async def test_one_byte_too_many_is_refused_before_the_end() -> None:
    with pytest.raises(TooLarge, match="3 bytes"):
        await read_body(sending(part(b"abcd", more=False)), 3)
    with pytest.raises(TooLarge):
        await read_body(sending(part(b"abc"), part(b"d")), 3)


async def test_a_client_that_is_gone_has_sent_nothing() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body(sending(part(b"abc"), {"type": "http.disconnect"}), 3)
    with pytest.raises(ClientDisconnect):
        await read_body(sending({"type": "http.disconnect"}), 3)
