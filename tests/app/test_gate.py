"""The gate on a real socket, before an application that remembers what got through."""

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from minleaf_server.app.exchange import SECURITY_HEADERS
from minleaf_server.app.gate import Gate
from minleaf_server.config import Settings
from tests.app.dummy import MAX_BODY, Dummy
from tests.app.live import Answer, Live, is_closed, read_answer
from tests.app.test_hosts import FOREIGN

THING = "/api/2.0/mlflow/thing"
UNSAFE = ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "TRACE", "QUERY"]
ORIGINS = ["http://evil.com", "null", "http://localhost:9999", "http://127.0.0.1:1", "https://localhost", "file://", ""]
ORIGINS += ["http://evil.com@localhost", "chrome-extension://x", "http://localhost", "http://127.0.0.1", "localhost"]


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Dummy, Live]]:
    dummy = Dummy()
    with dummy.live() as live:
        yield dummy, live


@pytest.fixture
def dummy(shared: tuple[Dummy, Live]) -> Dummy:
    shared[0].calls.clear()
    shared[0].bodies.clear()
    return shared[0]


@pytest.fixture
def live(shared: tuple[Dummy, Live]) -> Live:
    return shared[1]


def code(answer: Answer) -> str:
    """The error code of an answer of the API."""
    assert answer.header("content-type") == "application/json"
    content = json.loads(answer.body)
    assert set(content) == {"error_code", "message"}
    return str(content["error_code"])


class TestHost:
    @pytest.mark.parametrize("host", [name for name in FOREIGN if name.isascii()])
    def test_a_foreign_name_is_refused_on_every_path(self, dummy: Dummy, live: Live, host: str) -> None:
        for path in ("/thing", THING, "/nothing", "/health/ready", "/healthz", "/version/", "/docs", "//health"):
            answer = live.request("GET", path, host=host)
            assert answer.status == 403, path
            assert b"--allowed-hosts" in answer.body
            assert host.encode() not in answer.body or host in ("*", "[")
        assert dummy.calls == []

    def test_an_own_name_passes(self, dummy: Dummy, live: Live) -> None:
        for host in ("LOCALHOST", "localhost.", f"[::1]:{live.port}", f"127.0.0.1:{live.port}"):
            assert live.request("GET", "/thing", host=host).status == 200
        assert len(dummy.calls) == 4

    def test_the_refusal_is_json_in_the_api_and_text_elsewhere(self, live: Live) -> None:
        assert code(live.request("GET", THING, host="evil.com")) == "PERMISSION_DENIED"
        assert live.request("GET", "/thing", host="evil.com").header("content-type") == "text/plain; charset=utf-8"

    def test_health_and_version_answer_under_any_name_and_say_nothing_else(self, live: Live) -> None:
        for path in ("/health", "/version"):
            foreign = live.request("GET", path, host="evil.com")
            own = live.request("GET", path)
            assert foreign.status == 200
            assert foreign.body == own.body
            assert live.request("POST", path, host="evil.com").status == 403
        assert live.request("GET", "/health").body == b"OK"

    @pytest.mark.parametrize("hosts", ["", "Host:\r\n", "Host: localhost\r\nHost: localhost\r\n"])
    def test_none_and_two_are_refused(self, dummy: Dummy, live: Live, hosts: str) -> None:
        for path in ("/thing", "/health"):
            answer = live.raw(f"GET {path} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n".encode())
            assert answer.status == 400
        assert dummy.calls == []

    def test_a_target_in_absolute_form_has_to_name_the_same_host(self, dummy: Dummy, live: Live) -> None:
        own = f"127.0.0.1:{live.port}"
        for target in ("http://evil.com/thing", f"http://evil.com:{live.port}/thing", "http://127.0.0.1/thing"):
            assert live.request("GET", target, host=own).status == 400, target
        for target in (f"ftp://{own}/thing", f"https://{own}:1/thing", "evil", "*", f"http://x@{own}.evil.com/thing"):
            assert live.request("GET", target, host=own).status == 400, target
        assert dummy.calls == []
        assert live.request("GET", f"http://{own}/thing", host=own).status == 200
        assert live.request("GET", "http://LOCALHOST/thing", host="localhost").status == 200
        assert live.request("GET", f"http://[::1]:{live.port}/thing", host=f"[::1]:{live.port}").status == 200
        assert live.request("GET", "http://evil.com/thing", host="evil.com").status == 403


class TestOrigin:
    @pytest.mark.parametrize("method", UNSAFE)
    @pytest.mark.parametrize("origin", ORIGINS)
    def test_a_foreign_origin_changes_nothing(self, dummy: Dummy, live: Live, method: str, origin: str) -> None:
        for path in ("/thing", THING, "/nothing"):
            for kind in ("text/plain", "application/json", "application/x-www-form-urlencoded"):
                headers = (f"Origin: {origin}", f"Content-Type: {kind}")
                answer = live.request(method, path, *headers, body=b'{"name": "x"}')
                assert answer.status == 403, (path, kind)
        assert dummy.calls == []

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "", "Same-Origin", "same-origin, same-origin"])
    def test_a_foreign_site_changes_nothing_even_without_an_origin(self, dummy: Dummy, live: Live, site: str) -> None:
        assert code(live.request("POST", THING, f"Sec-Fetch-Site: {site}")) == "PERMISSION_DENIED"
        own = f"Origin: http://127.0.0.1:{live.port}"
        assert live.request("POST", THING, own, f"Sec-Fetch-Site: {site}").status == 403
        assert dummy.calls == []

    def test_two_origins_are_refused(self, dummy: Dummy, live: Live) -> None:
        own = f"Origin: http://127.0.0.1:{live.port}"
        assert live.request("POST", THING, "Origin: http://evil.com", own).status == 403
        assert live.request("POST", THING, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin").status == 403
        assert dummy.calls == []

    def test_the_own_page_and_programs_pass(self, dummy: Dummy, live: Live) -> None:
        own = f"Origin: http://127.0.0.1:{live.port}"
        assert live.request("POST", THING).status == 200
        assert live.request("POST", THING, own).status == 200
        assert live.request("POST", THING, own, "Sec-Fetch-Site: same-origin").status == 200
        assert live.request("POST", THING, "Sec-Fetch-Site: none").status == 200
        upper = live.request("POST", THING, f"Origin: http://localhost:{live.port}", host=f"LOCALHOST:{live.port}")
        assert upper.status == 200
        assert len(dummy.calls) == 5

    def test_reading_from_elsewhere_passes_but_no_page_may_see_it(self, live: Live) -> None:
        answer = live.request("GET", THING, "Origin: http://evil.com", "Sec-Fetch-Site: cross-site")
        assert answer.status == 200
        assert answer.header("access-control-allow-origin") is None
        assert answer.header("cross-origin-resource-policy") == "same-origin"

    def test_a_preflight_gets_no_permission(self, dummy: Dummy, live: Live) -> None:
        asks = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")
        for origin in ("http://evil.com", f"http://127.0.0.1:{live.port}"):
            answer = live.request("OPTIONS", THING, f"Origin: {origin}", *asks)
            assert answer.status == 405
            assert not [name for name, _ in answer.headers if name.startswith("access-control-")]
        assert dummy.calls == []

    def test_a_named_origin_may_call_and_read_and_no_other(self) -> None:
        named = Dummy(Settings(cors_allowed_origins=("https://app.example.org", "http://*.lab.example:3000")))
        with named.live() as live:
            for origin in ("https://app.example.org", "http://a.lab.example:3000"):
                headers = (f"Origin: {origin}", "Sec-Fetch-Site: cross-site")
                answer = live.request("POST", THING, *headers)
                assert answer.status == 200
                assert answer.header("access-control-allow-origin") == origin
                assert answer.header("access-control-allow-credentials") == "true"
                assert "Origin" in str(answer.header("vary"))
            assert len(named.calls) == 2
            for origin in ("http://app.example.org", "https://app.example.org.evil.com", "http://lab.example:3000"):
                answer = live.request("POST", THING, f"Origin: {origin}")
                assert answer.status == 403
                assert answer.header("access-control-allow-origin") is None
                assert "Origin" in str(answer.header("vary"))
            assert len(named.calls) == 2

    def test_a_preflight_of_a_named_origin_is_answered(self) -> None:
        named = Dummy(Settings(cors_allowed_origins=("https://app.example.org",)))
        asks = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")
        with named.live() as live:
            answer = live.request("OPTIONS", THING, "Origin: https://app.example.org", *asks)
            assert answer.status == 200
            assert answer.header("access-control-allow-origin") == "https://app.example.org"
            assert "POST" in str(answer.header("access-control-allow-methods"))
            assert answer.header("access-control-allow-headers") == "content-type"
            other = live.request("OPTIONS", THING, "Origin: https://evil.com", *asks)
            assert not [name for name, _ in other.headers if name.startswith("access-control-")]
        assert named.calls == []

    def test_a_method_in_a_header_does_not_count(self, dummy: Dummy, live: Live) -> None:
        live.request("GET", THING, "X-HTTP-Method-Override: DELETE", "Origin: http://evil.com")
        assert dummy.calls == [f"GET {THING}"]


class TestProxies:
    def test_a_request_through_a_proxy_is_refused_where_nobody_logs_in(self, dummy: Dummy, live: Live) -> None:
        for header in ("X-Forwarded-For: 10.0.0.9", "Forwarded: for=10.0.0.9", "X-Forwarded-For:"):
            answer = live.request("GET", THING, header)
            assert code(answer) == "PERMISSION_DENIED"
            assert b"--trusted-proxy" in answer.body
        assert dummy.calls == []

    def test_what_an_unknown_proxy_says_is_ignored(self, live: Live) -> None:
        answer = live.request("GET", "/thing", "X-Forwarded-Host: evil.com", "X-Forwarded-Proto: https")
        assert answer.body == f"done http 127.0.0.1:{live.port} ".encode()

    def test_an_open_server_ignores_what_proxies_say(self) -> None:
        dummy = Dummy(replace(Dummy().settings, insecure_no_auth=True))
        with dummy.live() as live:
            answer = live.request("GET", "/thing", "X-Forwarded-For: 10.0.0.9", "X-Forwarded-Host: evil.com")
            assert answer.body == f"done http 127.0.0.1:{live.port} ".encode()

    def test_a_trusted_proxy_is_believed(self) -> None:
        dummy = Dummy(replace(Dummy().settings, trusted_proxy="10.0.0.1, 127.0.0.0/8", allowed_hosts=("t.example",)))
        forwarded = ("X-Forwarded-For: 10.0.0.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.com, t.example")
        with dummy.live() as live:
            assert live.request("GET", "/thing", *forwarded).body == b"done https t.example "
            assert live.request("POST", "/thing", *forwarded, "Origin: https://t.example").status == 200
            assert live.request("POST", "/thing", *forwarded, "Origin: http://t.example").status == 403
            assert live.request("POST", "/thing", *forwarded, "Origin: https://evil.com").status == 403
            assert live.request("GET", "/thing", "X-Forwarded-Host: evil.com").status == 403
            port = ("X-Forwarded-Proto: https", "X-Forwarded-Host: t.example:443", "Origin: https://t.example")
            assert live.request("POST", "/thing", *port).status == 200
            odd = live.request("GET", "/thing", "X-Forwarded-Proto: javascript")
            assert odd.body.startswith(b"done http ")

    def test_another_address_than_the_trusted_one_is_not_believed(self) -> None:
        dummy = Dummy(replace(Dummy().settings, trusted_proxy="10.0.0.1", allowed_hosts=("t.example",)))
        with dummy.live() as live:
            answer = live.request("GET", "/thing", "X-Forwarded-Proto: https", "X-Forwarded-Host: t.example")
            assert answer.body == f"done http 127.0.0.1:{live.port} ".encode()


class TestBody:
    def test_a_body_up_to_the_cap_passes(self, dummy: Dummy, live: Live) -> None:
        assert live.request("POST", THING, body=b"x" * MAX_BODY).status == 200
        assert dummy.bodies == [b"x" * MAX_BODY]

    def test_a_declared_body_over_the_cap_is_refused_before_it_is_sent(self, dummy: Dummy, live: Live) -> None:
        for length in (MAX_BODY + 1, 10**9, 2**63 - 1):
            answer = live.request("POST", THING, f"Content-Length: {length}")
            assert answer.status == 413
            assert code(answer) == "REQUEST_TOO_LARGE"
        assert dummy.calls == []

    def test_a_client_that_sends_it_all_the_same_gets_to_read_the_answer(self, dummy: Dummy, live: Live) -> None:
        size = 5_000_000
        head = f"POST {THING} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode()
        with live.connect() as conn:
            conn.sendall(head + b"x" * size)
            assert read_answer(conn, "POST").status == 413
            # The rest was read and thrown away, so the connection is still good.
            conn.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert read_answer(conn).body == b"OK"
        assert dummy.calls == []

    def test_chunks_are_counted(self, dummy: Dummy, live: Live) -> None:
        head = f"POST {THING} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
        with live.connect() as conn:
            conn.sendall(head + chunk * 10 + b"0\r\n\r\n")
            assert read_answer(conn, "POST").status == 200
        assert dummy.bodies == [b"x" * 100_000]
        with live.connect() as conn:
            conn.sendall(head + chunk * 10 + b"1\r\nx\r\n")  # and never an end
            answer = read_answer(conn, "POST")
            assert answer.status == 413
            assert code(answer) == "REQUEST_TOO_LARGE"
        assert len(dummy.bodies) == 1

    def test_a_body_without_end_is_cut_off(self, dummy: Dummy, live: Live) -> None:
        head = f"POST {THING} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        chunk = b"100000\r\n" + b"x" * 2**20 + b"\r\n"
        with live.connect() as conn:
            conn.sendall(head)
            with pytest.raises(OSError, match=r"reset|Broken pipe"):  # noqa: PT012
                for _ in range(200):
                    conn.sendall(chunk)
        assert dummy.bodies == []

    def test_compressed_bodies_are_not_read(self, dummy: Dummy, live: Live) -> None:
        for encoding in ("gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip", "x"):
            answer = live.request("POST", THING, f"Content-Encoding: {encoding}", body=b"x")
            assert answer.status == 415
            assert code(answer) == "BAD_REQUEST"
        assert dummy.calls == []
        assert live.request("POST", THING, "Content-Encoding: identity", body=b"x").status == 200

    def test_half_a_body_is_never_taken_for_a_whole_one(self, dummy: Dummy, live: Live) -> None:
        with live.connect() as conn:
            conn.sendall(f"POST {THING} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MAX_BODY}\r\n\r\nhalf".encode())
            while not dummy.calls:
                time.sleep(0.01)
        assert live.request("GET", THING).status == 200
        assert dummy.bodies == [b""]

    def test_half_of_a_short_body_does_not_even_reach_the_application(self, dummy: Dummy, live: Live) -> None:
        with live.connect() as conn:
            conn.sendall(f"POST {THING} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf".encode())
        assert live.request("GET", THING).status == 200
        assert dummy.calls == [f"GET {THING}"]


class TestAnswers:
    def test_every_answer_has_the_security_headers(self, live: Live) -> None:
        answers = [live.request("GET", path) for path in ("/thing", "/health", "/nothing", THING + "s", "/fail")]
        answers += [live.request("GET", "/thing", host="evil.com"), live.request("DELETE", "/health")]
        answers += [live.raw(b"nonsense\r\n\r\n"), live.request("HEAD", "/thing")]
        for answer in answers:
            for name, value in SECURITY_HEADERS:
                assert answer.header(name.decode()) == value.decode()
            assert answer.header("server") is None

    @pytest.mark.parametrize(("chosen", "sent"), [("SAMEORIGIN", "SAMEORIGIN"), ("DENY", "DENY"), ("NONE", None)])
    def test_x_frame_options_are_as_chosen(self, chosen: str, sent: str | None) -> None:
        with Dummy(Settings(x_frame_options=chosen)).live() as live:
            assert live.request("GET", "/health").header("x-frame-options") == sent

    def test_the_policy_allows_own_scripts_and_styles_alone(self) -> None:
        policy = dict(SECURITY_HEADERS)[b"content-security-policy"].decode()
        assert policy == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
        )

    def test_the_request_id_is_ours_and_new_each_time(self, live: Live) -> None:
        ids = {live.request("GET", "/health", "X-Request-Id: mine").header("x-request-id") for _ in range(3)}
        assert len(ids) == 3
        assert not any("mine" in (text or "mine") for text in ids)

    def test_an_unforeseen_error_tells_nothing_but_the_request_id(
        self, live: Live, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = live.request("GET", "/api/2.0/mlflow/fail")
        text = f"Internal error (request {answer.header('x-request-id')})"
        assert answer.status == 500
        assert json.loads(answer.body) == {"error_code": "INTERNAL_ERROR", "message": text}
        while not caplog.records:  # It is logged a moment after it is answered.
            time.sleep(0.01)
        assert [record.name for record in caplog.records if record.exc_info] == ["minleaf_server.app.gate"]
        page = live.request("GET", "/fail")
        assert page.status == 500
        assert b"secret" not in page.body
        assert f"(request {page.header('x-request-id')})".encode() in page.body

    def test_an_answer_that_fails_half_way_is_seen_to_be_incomplete(
        self, live: Live, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.CRITICAL, "uvicorn.error")
        with live.connect() as conn:
            conn.sendall(b"GET /half HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            while part := conn.recv(65536):
                received += part
        assert received.endswith(b"4\r\nhalf\r\n")

    def test_head_answers_as_get_does_without_a_body(self, dummy: Dummy, live: Live) -> None:
        for path in ("/health", "/thing", "/nothing"):
            get, head = live.request("GET", path), live.request("HEAD", path)
            assert head.body == b""
            assert head.status == get.status
            assert head.header("content-length") == str(len(get.body))

    def test_unknown_paths_and_methods(self, live: Live) -> None:
        assert code(live.request("GET", "/api/2.0/mlflow/nothing")) == "ENDPOINT_NOT_FOUND"
        assert code(live.request("POST", "/ajax-api/3.0/x")) == "ENDPOINT_NOT_FOUND"
        other = live.request("POST", "/api/2.0/mlflow/fail")
        assert other.status == 405
        assert code(other) == "ENDPOINT_NOT_FOUND"
        assert set((other.header("allow") or "").split(", ")) == {"GET", "HEAD"}
        assert live.request("GET", "/thing/").status == 404

    def test_websockets_are_not_spoken(self, dummy: Dummy, live: Live) -> None:
        with live.connect() as conn:
            conn.sendall(
                b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.com\r\n"
                b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            assert read_answer(conn).status == 404


class TestPrefix:
    def test_everything_is_there_under_the_prefix_too(self) -> None:
        dummy = Dummy(replace(Dummy().settings, static_prefix="/team/minleaf"))
        with dummy.live() as live:
            own = f"127.0.0.1:{live.port}"
            assert live.request("GET", "/team/minleaf/thing").body == f"done http {own} /team/minleaf".encode()
            assert live.request("GET", "/thing").body == f"done http {own} ".encode()
            assert code(live.request("GET", "/team/minleaf/api/2.0/x")) == "ENDPOINT_NOT_FOUND"
            assert live.request("GET", "/team/minleaf/health", host="evil.com").body == b"OK"
            assert live.request("GET", "/team/minleafhealth", host="evil.com").status == 403
            assert live.request("GET", "/team/minleaf/thing", host="evil.com").status == 403
            assert code(live.request("GET", "/team/minleaf" + THING, host="evil.com")) == "PERMISSION_DENIED"
            assert live.request("POST", "/team/minleaf/thing", "Origin: http://evil.com").status == 403
            assert live.request("GET", "/team/minleafthing").status == 404
            assert live.request("GET", "/team/minleaf/team/minleaf/thing").status == 404

    def test_a_path_that_only_begins_like_the_prefix_is_not_under_it(self) -> None:
        with Dummy(replace(Dummy().settings, static_prefix="/thi")).live() as live:
            assert live.request("GET", "/thing").body == f"done http 127.0.0.1:{live.port} ".encode()


def test_the_server_closes_what_is_left_open(live: Live) -> None:
    with live.connect() as conn:
        conn.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert is_closed(conn)


async def test_what_an_application_says_after_a_refusal_is_not_sent() -> None:
    async def answers_all_the_same(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] == "http.request":
            pass
        await PlainTextResponse("done")(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * MAX_BODY, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    sent: list[Message] = []
    headers = [(b"host", b"localhost"), (b"transfer-encoding", b"chunked")]
    scope = {"type": "http", "method": "POST", "path": "/thing", "scheme": "http", "headers": headers}
    await Gate(answers_all_the_same, Settings(max_body_bytes=MAX_BODY))(scope, receive, send)
    assert [message.get("status") for message in sent] == [413, None]
