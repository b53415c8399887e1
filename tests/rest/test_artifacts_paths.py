"""Paths that lead out of the store, in every notation, on every route that takes one. Sent as raw bytes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.app.live import Answer
from tests.support.artifact_site import Site, site

RUN = "0123456789abcdef0123456789abcdef"
OTHER_RUN = "fedcba9876543210fedcba9876543210"
MODEL = f"m-{RUN}"
INVALID = {"error_code": "INVALID_PARAMETER_VALUE", "message": "Invalid path"}
PREFIXES = ("/api", "/ajax-api")

# As they stand in the address, which is decoded once. Each has to be refused.
OUTSIDE = [
    "../../etc/passwd",
    "a/../../x",
    "./../x",
    "..",
    "a/..",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/x",
    "%2e%2e%2fcanary",
    "../canary",
    "../artifacts-canary",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "//etc/passwd",
    "file:///etc/passwd",
    "file://localhost/etc",
    "file:/etc/passwd",
    "..;/..;/etc/passwd",
    "a;/../..",
    "a%23/../..",
    "a%3f/../..",
    "a%00b",
    "%00",
    "a%0ab",
    "a%0a",
    "%0a",
    "a%0d%0aX-Inj:1",
    "%7f",
    "%c0%ae%c0%ae/x",
    "%ff",
    "a/%ed%a0%80",
    "..%5c..%5cx",
    "C:%5cWindows",
    "C:/x",
    "%5c%5chost%5cc$",
    ".",
    "./",
    "./.",
    "%2e",
    ".%2f",
    "a//b",
    "a/./b",
    "a" * 5_000,
    "/".join(["a"] * 2_000),
    "/".join(["a" * 200] * 6),
    f"../{OTHER_RUN}/artifacts/x",
    "a/.minleaf-tmp/x",
    ".MINLEAF-tmp/x",
]
NESTED = [f"..%{'25' * depth}2f..%{'25' * depth}2fcanary" for depth in range(1, 11)]
NESTED += ["%25252e%25252e/canary", "%252e%252e/canary", "..%252f..%252fetc%252fpasswd"]

Route = Callable[[Site, str, str], Answer]


def in_address(method: str, path: str, body: bytes = b"", *headers: str) -> Route:
    return lambda site, prefix, text: site.call(method, f"{prefix}{path}/{text}", *headers, body=body)


def in_query(method: str, path: str, argument: str, body: bytes = b"", below: bool = True, **others: str) -> Route:
    more = "".join(f"&{key}={value}" for key, value in others.items())
    return lambda site, prefix, text: site.call(
        method, f"{prefix if below else ''}{path}?{argument}={text.replace('#', '%23')}{more}", body=body
    )


def in_body(path: str, **fields: object) -> Route:
    """What stands in a JSON body is not percent-encoded, so it is taken literally."""

    def call(site: Site, prefix: str, text: str) -> Answer:
        body = json.dumps({"path": text, **fields}).encode()
        return site.call("POST", f"{prefix}{path}", "Content-Type: application/json", body=body)

    return call


JSON = "Content-Type: application/json"
MPU = json.dumps({"path": "/home/me/file.bin", "num_parts": 2, "parts": [{"part_number": 1, "etag": "e"}]}).encode()
FILES = "/2.0/mlflow-artifacts/artifacts"
VERSION = "/model-versions/get-artifact"
LOGGED_MODEL = f"/2.0/mlflow/logged-models/{MODEL}/artifacts"
ADDRESSED = {
    "download": in_address("GET", FILES),
    "head": in_address("HEAD", FILES),
    "upload": in_address("PUT", FILES, b"evil"),
    "delete": in_address("DELETE", FILES),
    "presigned": in_address("GET", "/2.0/mlflow-artifacts/presigned"),
    "mpu create": in_address("POST", "/2.0/mlflow-artifacts/mpu/create", MPU, JSON),
    "mpu complete": in_address("POST", "/2.0/mlflow-artifacts/mpu/complete", MPU, JSON),
    "mpu abort": in_address("POST", "/2.0/mlflow-artifacts/mpu/abort", MPU, JSON),
}
QUERIED = {
    "list": in_query("GET", FILES, "path"),
    "run list": in_query("GET", "/2.0/mlflow/artifacts/list", "path", run_id=RUN),
    "run download": in_query("GET", "/get-artifact", "path", below=False, run_id=RUN),
    "run upload": in_query("POST", "/2.0/mlflow/upload-artifact", "path", b"evil", run_uuid=RUN),
    "version download": in_query("GET", "/model-versions/get-artifact", "path", below=False, name="m", version="1"),
    "version download //": in_query("GET", "//model-versions/get-artifact", "path", below=False, name="m", version="1"),
    "model download": in_query("GET", f"/2.0/mlflow/logged-models/{MODEL}/artifacts/files", "artifact_file_path"),
    "model list": in_query(
        "GET", f"/2.0/mlflow/logged-models/{MODEL}/artifacts/directories", "artifact_directory_path"
    ),
}


@pytest.fixture(scope="module", params=["", "/team/ml"], ids=["", "static prefix"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("paths"), static_prefix=request.param) as running:
        for path in (f"0/{RUN}/artifacts/mine", f"0/{OTHER_RUN}/artifacts/x", "top"):
            assert running.put(path, path.encode()).status == 200
        yield running


@pytest.fixture
def untouched(place: Site) -> Iterator[Site]:
    """The site, of which no file may have changed afterwards, inside or outside the store."""
    inside, outside = place.files(), place.around()
    yield place
    assert place.files() == inside
    assert place.around() == outside


def require_refusal(answer: Answer, exactly: bool = True) -> None:
    assert answer.status == 400, answer
    assert answer.header("content-type") == "application/json"
    error = json.loads(answer.body)
    assert error["error_code"] == "INVALID_PARAMETER_VALUE"
    if exactly:
        assert error == INVALID
    assert answer.header("x-inj") is None
    assert answer.header("location") is None


@pytest.mark.parametrize("name", ADDRESSED)
def test_no_path_in_an_address_leads_outside(untouched: Site, name: str) -> None:
    for prefix in PREFIXES:
        for text in OUTSIDE:
            answer = ADDRESSED[name](untouched, prefix, text)
            if name == "head":
                assert answer.status == 400, (prefix, text)
            else:
                # A NUL is told as such where the path is a field of a message like any other.
                require_refusal(answer, exactly="%00" not in text)


@pytest.mark.parametrize("name", QUERIED)
def test_no_path_in_a_query_leads_outside(untouched: Site, name: str) -> None:
    for prefix in PREFIXES:
        for text in OUTSIDE:
            # What is no text at all is told as such: it is not only no path.
            control = any(sign in text for sign in ("%00", "%c0", "%ff", "%ed"))
            require_refusal(QUERIED[name](untouched, prefix, text), exactly=not control)


@pytest.mark.parametrize("name", [*ADDRESSED, *QUERIED])
def test_an_address_is_decoded_once(untouched: Site, name: str) -> None:
    """What more decoding would bring out of the store is refused, or is a name like any other that nobody has."""
    for text in NESTED:
        answer = (ADDRESSED | QUERIED)[name](untouched, "/api", text)
        if name == "head":
            assert answer.status == 400
        else:
            require_refusal(answer)


@pytest.mark.parametrize("step", ["create", "complete", "abort"])
def test_the_path_in_the_body_of_a_multipart_upload_is_only_a_name(untouched: Site, step: str) -> None:
    call = in_body(
        f"/2.0/mlflow-artifacts/mpu/{step}/0/{RUN}/artifacts",
        num_parts=1,
        upload_id="u",
        parts=[{"part_number": 1, "etag": "e"}],
    )
    for text in ("../../x", "..", "/a/../x", "a/..", "/tmp/", ".", "a\\b", "..\\x", "C:\\..\\x", "a\nb", "\x7f"):
        require_refusal(call(untouched, "/api", text))
    for text in ("/home/me/file.bin", "file.bin", "C:\\data\\file.bin", "\\\\host\\share\\file.bin"):
        answer = call(untouched, "/api", text)
        assert answer.status == 501, text
        message = json.loads(answer.body)["message"]
        assert message.startswith("Multipart upload is not supported for the current artifact repository")


DELETABLE = [
    f"0/{RUN}/artifacts/x",
    f"0/{RUN}/artifacts/a/b/c",
    f"0/models/{MODEL}/artifacts/x",
    "0/traces/tr-1/artifacts/x",
    f"some/place/{RUN}/artifacts/x",
]


NOT_DELETABLE = ["", "/", "//", ".", "./", "./.", "%2e", ".%2f", "0", "0/", f"0/{RUN}", f"0/{RUN}/", "top", RUN]
NOT_DELETABLE += ["0/models", "0/models/", f"0/models/{MODEL}", "0/traces", "0/traces/tr-1", "0/artifacts/x"]
NOT_DELETABLE += [f"0/{RUN}/artifacts//", f"0/{RUN}/artifactsx", f"0/{RUN}/other/x", "artifacts", "artifacts/x"]
NOT_DELETABLE += ["?path=top", "%3Fpath=top"]


@pytest.mark.parametrize("path", NOT_DELETABLE)
def test_nothing_but_the_artifacts_of_one_thing_is_deleted(untouched: Site, path: str) -> None:
    for prefix in PREFIXES:
        require_refusal(untouched.call("DELETE", f"{prefix}{FILES}/{path}"))
        if not path:
            assert untouched.call("DELETE", f"{prefix}{FILES}").status == 405


@pytest.mark.parametrize("path", DELETABLE)
def test_files_of_a_run_a_model_and_a_trace_are_deleted(place: Site, path: str) -> None:
    before = place.files()
    folder = path.rpartition("/")[0]
    for asked in (path, folder, folder + "/"):
        assert place.put(path + "/deep").status == 200 if asked == path else place.put(path).status == 200
        answer = place.call("DELETE", f"/api{FILES}/{asked}")
        assert (answer.status, answer.body) == (200, b"{}")
        left = set(place.files())
        assert not [name for name in left if name == asked.rstrip("/") or name.startswith(asked.rstrip("/") + "/")]
        for name, content in before.items():
            if not name.startswith(folder + "/"):
                assert place.files()[name] == content
    # Once more: a repeated request is no error.
    assert place.call("DELETE", f"/api{FILES}/{path}").status == 200
    for name, content in before.items():
        assert place.put(name, content).status == 200


ODD = ["with space", "100%.txt", "été", "🍃 leaf", "....", "~", "a:b", "x" * 255, "a?b", "a#b", "a+b", "a&b=c", "-"]
ODD += ["%20", "%zz", "'\"<script>", "dog%step%100%timestamp%1", "e\u0301", "\u202e", "a\u0085b", "a\u2028b"]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_come_back_as_they_went_in(place: Site, name: str) -> None:
    content = name.encode()
    folder = "odd"
    address = f"/api{FILES}/{folder}/{quote(name, safe='')}"
    assert place.call("PUT", address, body=content).status == 200
    assert (place.root / folder / name).read_bytes() == content
    listed = json.loads(place.call("GET", f"/api{FILES}?path={folder}").body)["files"]
    assert [entry["path"] for entry in listed] == [name]
    got = place.call("GET", address)
    assert (got.status, got.body) == (200, content)
    (place.root / folder / name).unlink()


def test_a_client_cannot_write_over_a_folder_or_below_a_file(untouched: Site) -> None:
    for path in (f"0/{RUN}/artifacts", f"0/{RUN}/artifacts/mine/below", "top/below"):
        answer = untouched.put(path)
        assert answer.status == 400, answer
        assert json.loads(answer.body)["error_code"] == "INVALID_PARAMETER_VALUE"


def test_links_are_not_followed(untouched: Site, tmp_path: Path) -> None:
    folder = untouched.root / "0" / RUN / "artifacts"
    secret = tmp_path / "secret"
    secret.write_text("secret")
    links = {"file": secret, "folder": tmp_path, "other": untouched.root / "0" / OTHER_RUN, "dangling": tmp_path / "no"}
    for name, target in links.items():
        (folder / name).symlink_to(target)
    (folder / "loop").symlink_to(folder / "loop")
    try:
        for path in ("file", "folder/secret", "other/artifacts/x", "dangling", "loop"):
            address = f"/api{FILES}/0/{RUN}/artifacts/{path}"
            answer = untouched.call("GET", address)
            assert (answer.status, json.loads(answer.body)["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST"), path
            assert untouched.call("PUT", address, body=b"evil").status in (400, 404), path
        assert untouched.call("DELETE", f"/api{FILES}/0/{RUN}/artifacts/folder/secret").status == 200
        assert secret.read_text() == "secret"
        listed = untouched.call("GET", f"/api{FILES}?path=0/{RUN}/artifacts/folder")
        assert listed.body == b"{}"
    finally:
        for name in (*links, "loop"):
            (folder / name).unlink()


@pytest.mark.parametrize("path", [f"/2.0/mlflow/logged-models/{MODEL}%ff", f"{LOGGED_MODEL}%c0%ae/directories"])
def test_a_variable_of_any_route_is_text(untouched: Site, path: str) -> None:
    for prefix in PREFIXES:
        require_refusal(untouched.call("GET", prefix + path.replace("/artifacts%c0%ae", "%c0%ae/artifacts")))
