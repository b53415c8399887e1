"""What can be done with artifacts: those of the proxied store, and those of a run wherever they lie."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from minleaf_server.rest.artifacts.listing import PART
from tests.app.live import Answer
from tests.support.artifact_site import PROXIED, Site, site

LIST = "/api/2.0/mlflow/artifacts/list"
UPLOAD = "/ajax-api/2.0/mlflow/upload-artifact"
MEGABYTE = 2**20


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as running:
        yield running


def answer_of(answer: Answer) -> Any:
    assert answer.status == 200, answer
    assert answer.header("content-type") == "application/json"
    return json.loads(answer.body)


def refusal(answer: Answer) -> tuple[int, str, str]:
    assert answer.header("content-type") == "application/json"
    error = json.loads(answer.body)
    return answer.status, error["error_code"], error["message"]


def post(place: Site, path: str, body: dict[str, Any]) -> Any:
    return answer_of(place.call("POST", path, "Content-Type: application/json", body=json.dumps(body).encode()))


def new_run(place: Site, experiment_id: str = "0") -> tuple[str, str]:
    """The id of a new run, and where its artifacts lie."""
    info = post(place, "/api/2.0/mlflow/runs/create", {"experiment_id": experiment_id})["run"]["info"]
    return info["run_id"], info["artifact_uri"]


def test_files_go_in_are_listed_and_come_out(place: Site) -> None:
    assert place.call("GET", PROXIED).body == b"{}"
    for path, body in (("a.txt", b"0"), ("dir/b.txt", b"1"), ("a.txt", b"00")):
        answer = place.put(path, body)
        assert (answer.status, answer.body) == (200, b"{}")
    assert place.files() == {"a.txt": b"00", "dir/b.txt": b"1"}
    root = [{"path": "a.txt", "is_dir": False, "file_size": 2}, {"path": "dir", "is_dir": True}]
    for query in ("", "?path=", "?other=1"):
        assert answer_of(place.call("GET", PROXIED + query)) == {"files": root}
    for query in ("?path=dir", "?path=dir/"):
        listed = answer_of(place.call("GET", PROXIED + query))
        assert listed == {"files": [{"path": "b.txt", "is_dir": False, "file_size": 1}]}
    for nothing in ("none", "a.txt", "a.txt/x"):
        assert answer_of(place.call("GET", f"{PROXIED}?path={nothing}")) == {}
    assert place.get("dir/b.txt").body == b"1"


def test_the_artifacts_of_a_run(place: Site) -> None:
    run_id, uri = new_run(place)
    assert uri == f"mlflow-artifacts:/0/{run_id}/artifacts"
    assert answer_of(place.call("GET", f"{LIST}?run_id={run_id}")) == {"root_uri": uri}
    for path in ("a.txt", "dir/b.txt"):
        assert place.put(f"0/{run_id}/artifacts/{path}", path.encode()).status == 200
    top = [{"path": "a.txt", "is_dir": False, "file_size": 5}, {"path": "dir", "is_dir": True}]
    for name in ("run_id", "run_uuid"):
        assert answer_of(place.call("GET", f"{LIST}?{name}={run_id}")) == {"root_uri": uri, "files": top}
        for folder in ("dir", "dir/"):
            listed = answer_of(place.call("GET", f"{LIST}?{name}={run_id}&path={folder}"))
            assert listed == {"root_uri": uri, "files": [{"path": "dir/b.txt", "is_dir": False, "file_size": 9}]}
        got = place.call("GET", f"/get-artifact?{name}={run_id}&path=dir/b.txt")
        assert (got.status, got.body) == (200, b"dir/b.txt")
        assert got.header("content-disposition") == 'attachment; filename="b.txt"'


def test_the_artifacts_of_a_deleted_run_are_still_there(place: Site) -> None:
    run_id, _ = new_run(place)
    assert place.put(f"0/{run_id}/artifacts/a", b"kept").status == 200
    post(place, "/api/2.0/mlflow/runs/delete", {"run_id": run_id})
    assert place.call("GET", f"/get-artifact?run_id={run_id}&path=a").body == b"kept"


def test_a_run_that_is_not_there(place: Site) -> None:
    missing = (404, "RESOURCE_DOES_NOT_EXIST", "Run with id=none not found")
    assert refusal(place.call("GET", f"{LIST}?run_id=none")) == missing
    assert refusal(place.call("POST", f"{UPLOAD}?run_uuid=none&path=a", body=b"x")) == missing
    answer = place.call("GET", "/get-artifact?run_id=none&path=a")
    assert refusal(answer) == missing


def test_what_a_request_has_to_name(place: Site) -> None:
    for path, missing in (
        (LIST, "run_id"),
        (f"{LIST}?run_id=", "run_id"),
        ("/get-artifact?path=a", "run_id"),
        ("/get-artifact?run_id=a", "path"),
        ("/model-versions/get-artifact?version=1&path=a", "name"),
        ("/model-versions/get-artifact?name=m&path=a", "version"),
        ("//model-versions/get-artifact?name=m&version=1", "path"),
    ):
        status, code, message = refusal(place.call("GET", path))
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
        assert message.startswith(f"Missing value for required parameter '{missing}'."), path


class TestUpload:
    def test_a_small_file(self, place: Site) -> None:
        run_id, _ = new_run(place)
        for name in ("run_uuid", "run_id"):
            answer = place.call("POST", f"{UPLOAD}?{name}={run_id}&path=a/{name}.txt", body=b"hello world")
            assert answer_of(answer) == {}
            assert place.files()[f"0/{run_id}/artifacts/a/{name}.txt"] == b"hello world"

    def test_what_is_missing_is_said_in_mlflows_words(self, place: Site) -> None:
        run_id, _ = new_run(place)
        for query, text in (
            ("", "Request must specify run_uuid."),
            ("?path=a", "Request must specify run_uuid."),
            (f"?run_uuid={run_id}", "Request must specify path."),
            (f"?run_uuid={run_id}&path=", "Request must specify path."),
            (f"?run_uuid={run_id}&path=../test.txt", "Invalid path"),
            (f"?run_uuid={run_id}&path=test.txt", "Request must specify data."),
        ):
            assert refusal(place.call("POST", UPLOAD + query)) == (400, "INVALID_PARAMETER_VALUE", text)
        assert place.files() == {}

    def test_ten_megabytes_and_no_more(self, place: Site) -> None:
        run_id, _ = new_run(place)
        address = f"{UPLOAD}?run_uuid={run_id}&path=a"
        assert place.call("POST", address, body=b"x" * (10 * MEGABYTE)).status == 200
        before = place.files()
        for size in (10 * MEGABYTE + 1, 24 * MEGABYTE):
            # On a connection that stays open, as clients have it: else the answer may be lost in what is still sent.
            refused = httpx.post(f"http://127.0.0.1:{place.live.port}{address}", content=b"y" * size)
            assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
            assert refused.json()["message"] == "Artifact size is too large. Max size is 10MB."
        assert place.files() == before


def test_a_long_list_is_whole_and_in_order(place: Site) -> None:
    """The answer comes in several parts, whose seams must not show."""
    run_id, uri = new_run(place)
    folder = place.root / "0" / run_id / "artifacts" / "many"
    folder.mkdir(parents=True)
    for count in (PART - 1, PART, PART + 1, 3 * PART):
        for number in range(count):
            (folder / f"{number:05}").touch()
        names = [f"{number:05}" for number in range(count)]
        bare = answer_of(place.call("GET", f"{PROXIED}?path=0/{run_id}/artifacts/many"))
        assert bare == {"files": [{"path": name, "is_dir": False, "file_size": 0} for name in names]}
        listed = answer_of(place.call("GET", f"{LIST}?run_id={run_id}&path=many"))
        assert listed["root_uri"] == uri
        assert [entry["path"] for entry in listed["files"]] == [f"many/{name}" for name in names]


@pytest.mark.parametrize("notation", ["{}", "file://{}", "file:{}"])
def test_a_run_whose_artifacts_lie_in_a_folder_of_the_server(tmp_path: Path, notation: str) -> None:
    """As MLflow's own tests start it: the client writes there itself, and the server lists and sends."""
    root = tmp_path / "runs"
    with site(tmp_path / "site", default_artifact_root=notation.format(root)) as place:
        experiment_id = post(place, "/api/2.0/mlflow/experiments/create", {"name": "local"})["experiment_id"]
        run_id, uri = new_run(place, experiment_id)
        assert uri == f"{notation.format(root)}/{experiment_id}/{run_id}/artifacts"
        folder = root / experiment_id / run_id / "artifacts"
        folder.mkdir(parents=True)
        (folder / "mine.txt").write_text("written by the client")
        assert answer_of(place.call("GET", f"{LIST}?run_id={run_id}"))["files"][0]["path"] == "mine.txt"
        assert place.call("GET", f"/get-artifact?run_id={run_id}&path=mine.txt").body == b"written by the client"
        assert place.call("POST", f"{UPLOAD}?run_uuid={run_id}&path=sent.txt", body=b"sent").status == 200
        assert (folder / "sent.txt").read_text() == "sent"
        assert place.files() == {}
        for what in ("upload", "download"):
            body = {"run_id": run_id, "path": "mine.txt"}
            answer = place.call(
                "POST",
                f"/api/2.0/mlflow/artifacts/presigned-{what}-url",
                "Content-Type: application/json",
                body=json.dumps(body).encode(),
            )
            text = f"Presigned {what} is not supported for the current artifact repository"
            assert refusal(answer) == (501, "NOT_IMPLEMENTED", text)


def test_a_location_outside_the_stores_is_never_opened(tmp_path: Path) -> None:
    """Such a row comes from an imported database or from an earlier configuration."""
    outside = tmp_path / "secret"
    with site(tmp_path / "site", default_artifact_root=str(outside)) as place:
        experiment_id = post(place, "/api/2.0/mlflow/experiments/create", {"name": "elsewhere"})["experiment_id"]
        run_id, _ = new_run(place, experiment_id)
        folder = outside / experiment_id / run_id / "artifacts"
        folder.mkdir(parents=True)
        (folder / "passwd").write_text("secret")
        uri = place.services.settings.backend_store_uri
    with site(tmp_path / "site", backend_store_uri=uri) as place:
        for answer in (
            place.call("GET", f"{LIST}?run_id={run_id}"),
            place.call("GET", f"/get-artifact?run_id={run_id}&path=passwd"),
            place.call("POST", f"{UPLOAD}?run_uuid={run_id}&path=passwd", body=b"evil"),
        ):
            status, code, message = refusal(answer)
            assert (status, code) == (403, "PERMISSION_DENIED")
            assert str(outside) not in message
    assert (folder / "passwd").read_text() == "secret"


def test_signed_addresses_are_not_given_for_what_goes_through_the_server(place: Site) -> None:
    run_id, _ = new_run(place)
    for what in ("upload", "download"):
        address = f"/api/2.0/mlflow/artifacts/presigned-{what}-url"

        def ask(address: str = address, **fields: object) -> tuple[int, str, str]:
            body = json.dumps({"path": "a", "run_id": run_id, **fields}).encode()
            return refusal(place.call("POST", address, "Content-Type: application/json", body=body))

        status, _, message = ask()
        assert status == 400
        assert f"Presigned {what} is not supported for proxied artifact storage" in message
        assert ask(expiration=0)[2] == message  # As MLflow, which looks at the store first.
        assert ask(path="../x")[2] == "Invalid path"
    body = json.dumps({"path": "a"}).encode()
    answer = place.call(
        "POST", "/api/2.0/mlflow/artifacts/presigned-upload-url", "Content-Type: application/json", body=body
    )
    assert refusal(answer)[2] == "Exactly one of run_id and model_id must be provided."


def test_a_local_store_sends_nobody_elsewhere(place: Site) -> None:
    answer = place.call("GET", "/api/2.0/mlflow-artifacts/presigned/0/a")
    assert refusal(answer)[:2] == (501, "NOT_IMPLEMENTED")
    assert refusal(answer)[2].startswith("Multipart download is not supported")
