"""Artifacts: the same calls to MLflow's own server and to Minleaf's. See `differential` for the way.

The requests go out byte for byte as they stand here, because most clients tidy paths up.
"""

import contextlib
import http.client
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tests.compat.differential import API, Call, get, post

FILES = "/api/2.0/mlflow-artifacts/artifacts"
MPU = "/api/2.0/mlflow-artifacts/mpu"
UPLOAD = "/ajax-api/2.0/mlflow/upload-artifact"
HEADERS = ("content-type", "content-disposition", "x-content-type-options")


@dataclass(frozen=True)
class FileAnswer:
    """What is compared: the status, the body (JSON, or the text of a file) and, of a file, its headers."""

    status: int
    body: Any
    headers: Mapping[str, str]


def put(name: str, path: str, content: str = "content", *, content_type: str | None = None) -> Call:
    return Call(name, "PUT", f"{FILES}/{path}", raw=content.encode(), content_type=content_type)


def down(name: str, path: str) -> Call:
    return Call(name, "GET", f"{FILES}/{path}")


def delete(name: str, path: str) -> Call:
    return Call(name, "DELETE", f"{FILES}/{path}")


def upload(name: str, content: str = "page", **query: str) -> Call:
    content_type = "application/octet-stream"
    return Call(name, "POST", UPLOAD, raw=content.encode(), query=tuple(query.items()), content_type=content_type)


NAMES = (
    "a.txt",
    "a.json",
    "a.yaml",
    "a.csv",
    "a.md",
    "a.py",
    "a.html",
    "a.js",
    "a.xml",
    "a.svg",
    "a.css",
    "a.png",
    "a.jpg",
    "a.gif",
    "a.pdf",
    "a.zip",
    "a.tar.gz",
    "a.pkl",
    "a.parquet",
    "a.mp4",
    "a.wav",
    "a.ipynb",
    "a.log",
    "MLmodel",
    "no-extension",
    ".hidden",
    "with space.txt",
    "été.txt",
    'quote"d.txt',
    "semi;colon.txt",
    "percent%25.txt",
)
ROOT = "$exp/$run/artifacts"


def making() -> list[Call]:
    info = ["run", "info", "run_id"]
    return [
        post("make experiment", "experiments/create", {"name": "files"}, save={"exp": ["experiment_id"]}),
        post("make run", "runs/create", {"experiment_id": "$exp", "start_time": 1, "user_id": "u"}, save={"run": info}),
        post(
            "make empty run",
            "runs/create",
            {"experiment_id": "$exp", "start_time": 1, "user_id": "u"},
            save={"empty": info},
        ),
        post(
            "make logged model",
            "logged-models",
            {"experiment_id": "$exp", "name": "m"},
            save={"model": ["model", "info", "model_id"]},
        ),
        post("make registered model", "registered-models/create", {"name": "m"}),
        post(
            "make version",
            "model-versions/create",
            {"name": "m", "source": f"mlflow-artifacts:/{ROOT}/tree", "run_id": "$run"},
        ),
    ]


def proxied() -> list[Call]:
    named = [(name, quote(name)) for name in NAMES]
    return [
        get("list empty root", FILES),
        *(put(f"put {name}", f"{ROOT}/named/{path}", name) for name, path in named),
        *(down(f"get {name}", f"{ROOT}/named/{path}") for name, path in named),
        put("put a", f"{ROOT}/tree/a.txt", "0"),
        put("put b", f"{ROOT}/tree/dir/b.txt", "11"),
        put("put again", f"{ROOT}/tree/a.txt", "00"),
        put("put nothing", f"{ROOT}/tree/empty.txt", ""),
        put("put json", f"{ROOT}/tree/c.json", "{", content_type="application/json"),
        down("get again", f"{ROOT}/tree/a.txt"),
        down("get nothing", f"{ROOT}/tree/empty.txt"),
        down("get missing", f"{ROOT}/tree/none.txt"),
        down("get folder", f"{ROOT}/tree/dir"),
        down("get empty path", ""),
        get("list root", FILES),
        get("list experiment", FILES, path="$exp"),
        get("list tree", FILES, path=f"{ROOT}/tree"),
        get("list tree with slash", FILES, path=f"{ROOT}/tree/"),
        get("list file", FILES, path=f"{ROOT}/tree/a.txt"),
        get("list missing", FILES, path="none"),
        get("list empty path", FILES, path=""),
        get("list with unknown argument", FILES, path="none", other="x"),
        Call("list under the other prefix", "GET", "/ajax-api/2.0/mlflow-artifacts/artifacts?path=none"),
        put("put over folder", f"{ROOT}/tree/dir", "x"),
        put("put below file", f"{ROOT}/tree/a.txt/b", "x"),
        Call("post a file", "POST", f"{FILES}/{ROOT}/x", raw=b"x", content_type=None),
    ]


BAD = (
    "..",
    "../x",
    "a/../b",
    "a/../../x",
    "%2e%2e/x",
    "%2e%2e%2fx",
    "%252e%252e/x",
    "a/%2e%2e/%2e%2e/x",
    "..%5cx",
    "a%5c..%5cb",
    "%5cetc%5cpasswd",
    "/etc/passwd",
    "%2fetc/passwd",
    "//etc/passwd",
    "./x",
    "a/./b",
    "a//b",
    "%00",
    "a%00b",
    "a%0ab",
    "C:/x",
    "C%3a%5cx",
    "file:///etc/passwd",
    "a%23b",
    "a%3fb",
    "a%ff",
    "~/x",
    ".",
    "%2e",
    "x" * 300,
)


def bad_paths() -> list[Call]:
    """As a path of an address each, and the same text in a query, where it is decoded once too."""
    shown = [(path if len(path) < 50 else f"{path[:5]} times {len(path)}", path) for path in BAD]
    calls = []
    for name, path in shown:
        calls += [
            down(f"get bad {name}", path),
            put(f"put bad {name}", path),
            Call(f"list bad {name}", "GET", f"{FILES}?path={path}"),
            Call(f"list run bad {name}", "GET", f"{API}/artifacts/list?run_id=$run&path={path}"),
            Call(f"get-artifact bad {name}", "GET", f"/get-artifact?run_id=$run&path={path}"),
            Call(f"version bad {name}", "GET", f"/model-versions/get-artifact?name=m&version=1&path={path}"),
            Call(f"upload bad {name}", "POST", f"{UPLOAD}?run_uuid=$run&path={path}", raw=b"x", content_type=None),
            Call(f"mpu bad {name}", "POST", f"{MPU}/create/{path}", {"path": "a", "num_parts": 1}),
            delete(f"delete bad {name}", path),
        ]
    return calls


def of_runs() -> list[Call]:
    listing = "artifacts/list"
    return [
        get("list run", listing, run_id="$run"),
        get("list run by uuid", listing, run_uuid="$run"),
        get("list folder of run", listing, run_id="$run", path="tree"),
        get("list folder of run with slash", listing, run_id="$run", path="tree/"),
        get("list file of run", listing, run_id="$run", path="tree/a.txt"),
        get("list missing folder of run", listing, run_id="$run", path="none"),
        get("list empty run", listing, run_id="$empty"),
        get("list empty path of run", listing, run_id="$run", path=""),
        get("list with token", listing, run_id="$run", page_token="x"),
        get("list without run", listing),
        get("list empty run id", listing, run_id=""),
        get("list unknown run", listing, run_id="0" * 32),
        get("list unknown run with bad path", listing, run_id="0" * 32, path=".."),
        get("file of run", "/get-artifact", run_id="$run", path="tree/a.txt"),
        get("file of run by uuid", "/get-artifact", run_uuid="$run", path="tree/a.txt"),
        get("file of run with both", "/get-artifact", run_id="$run", run_uuid="$empty", path="tree/a.txt"),
        get("missing file of run", "/get-artifact", run_id="$run", path="none"),
        get("folder of run as file", "/get-artifact", run_id="$run", path="tree"),
        get("file of unknown run", "/get-artifact", run_id="0" * 32, path="a"),
        get("file without path", "/get-artifact", run_id="$run"),
        get("file with empty path", "/get-artifact", run_id="$run", path=""),
        get("file without run", "/get-artifact", path="a"),
        upload("upload", "page", run_uuid="$run", path="up/page.txt"),
        upload("upload again", "page 2", run_uuid="$run", path="up/page.txt"),
        upload("upload without run", path="x"),
        upload("upload without path", run_uuid="$run"),
        upload("upload with empty path", run_uuid="$run", path=""),
        upload("upload nothing", "", run_uuid="$run", path="x"),
        upload("upload to unknown run", run_uuid="0" * 32, path="x"),
        upload("upload too much", "x" * (10 * 2**20 + 1), run_uuid="$run", path="x"),
        upload("upload the most", "x" * (10 * 2**20), run_uuid="$run", path="up/most"),
        upload("upload by run_id", run_id="$run", path="up/by_id"),
        get("list uploads", listing, run_id="$run", path="up"),
        get("uploaded file", "/get-artifact", run_id="$run", path="up/page.txt"),
    ]


def of_models() -> list[Call]:
    version, model = "/model-versions/get-artifact", f"{API}/logged-models/$model/artifacts"
    own, lost = "$exp/models/$model/artifacts", f"{API}/logged-models/m-none/artifacts"
    return [
        get("file of version", version, name="m", version=1, path="a.txt"),
        get("file of version with two slashes", f"/{version}", name="m", version=1, path="dir/b.txt"),
        get("missing file of version", version, name="m", version=1, path="none"),
        get("folder of version", version, name="m", version=1, path="dir"),
        get("file of unknown version", version, name="m", version=2, path="a.txt"),
        get("file of unknown model", version, name="none", version=1, path="a.txt"),
        get("file of version x", version, name="m", version="x", path="a.txt"),
        get("file of version without name", version, version=1, path="a.txt"),
        get("file of version without version", version, name="m", path="a.txt"),
        get("file of version without path", version, name="m", version=1),
        get("list empty model", f"{model}/directories"),
        put("put model", f"{own}/MLmodel", "flavors"),
        put("put data of model", f"{own}/data/x.bin", "bytes"),
        get("list model", f"{model}/directories"),
        get("list data of model", f"{model}/directories", artifact_directory_path="data"),
        get("list file of model", f"{model}/directories", artifact_directory_path="MLmodel"),
        get("list missing of model", f"{model}/directories", artifact_directory_path="none"),
        get("list outside model", f"{model}/directories", artifact_directory_path="../x"),
        get("list model with token", f"{model}/directories", page_token="x"),
        get("list unknown model", f"{lost}/directories"),
        get("file of model", AJAX_MODEL, artifact_file_path="MLmodel"),
        get("data file of model", AJAX_MODEL, artifact_file_path="data/x.bin"),
        get("missing file of model", AJAX_MODEL, artifact_file_path="none"),
        get("folder of model", AJAX_MODEL, artifact_file_path="data"),
        get("outside model", AJAX_MODEL, artifact_file_path="../x"),
        get("file of model without path", AJAX_MODEL),
        get("file of unknown logged model", AJAX_MODEL.replace("$model", "m-none"), artifact_file_path="a"),
    ]


AJAX_MODEL = "/ajax-api/2.0/mlflow/logged-models/$model/artifacts/files"


def direct() -> list[Call]:
    """Uploads in parts and signed addresses, which a local folder does not have."""
    up, downs = "artifacts/presigned-upload-url", "artifacts/presigned-download-url"
    target = f"{ROOT}/parts"
    return [
        post("begin parts", f"{MPU}/create/{target}", {"path": "a.bin", "num_parts": 2}),
        post("begin parts without path", f"{MPU}/create/{target}", {"num_parts": 2}),
        post("begin no parts", f"{MPU}/create/{target}", {"path": "a.bin", "num_parts": 0}),
        post("begin too many parts", f"{MPU}/create/{target}", {"path": "a.bin", "num_parts": 10001}),
        post("begin parts of a path", f"{MPU}/create/{target}", {"path": "../a.bin", "num_parts": 1}),
        post(
            "complete parts",
            f"{MPU}/complete/{target}",
            {"path": "a.bin", "upload_id": "x", "parts": [{"part_number": 1, "etag": "e", "url": ""}]},
        ),
        post("complete without parts", f"{MPU}/complete/{target}", {"path": "a.bin", "upload_id": "x"}),
        post("abort parts", f"{MPU}/abort/{target}", {"path": "a.bin", "upload_id": "x"}),
        get("signed address of file", f"/api/2.0/mlflow-artifacts/presigned/{target}/a.bin"),
        post("signed upload", up, {"run_id": "$run", "path": "a.bin"}),
        post("signed upload of model", up, {"model_id": "$model", "path": "a.bin"}),
        post("signed upload of both", up, {"run_id": "$run", "model_id": "$model", "path": "a.bin"}),
        post("signed upload of nothing", up, {"path": "a.bin"}),
        post("signed upload without path", up, {"run_id": "$run"}),
        post("signed upload outside", up, {"run_id": "$run", "path": "../a"}),
        post("signed upload of unknown run", up, {"run_id": "0" * 32, "path": "a"}),
        post("signed upload too long", up, {"run_id": "$run", "path": "a", "expiration": 604801}),
        post("signed upload for no time", up, {"run_id": "$run", "path": "a", "expiration": 0}),
        post("signed download", downs, {"run_id": "$run", "path": "a.bin"}),
        post("signed download without run", downs, {"path": "a.bin"}),
        post("signed download without path", downs, {"run_id": "$run"}),
        post("signed download outside", downs, {"run_id": "$run", "path": "../a"}),
        post("signed download of unknown run", downs, {"run_id": "0" * 32, "path": "a"}),
    ]


def deleting() -> list[Call]:
    return [
        delete("delete file", f"{ROOT}/tree/a.txt"),
        delete("delete file again", f"{ROOT}/tree/a.txt"),
        down("get deleted file", f"{ROOT}/tree/a.txt"),
        delete("delete folder", f"{ROOT}/tree/dir"),
        get("list after deletes", FILES, path=f"{ROOT}/tree"),
        delete("delete what never was", f"{ROOT}/none"),
        delete("delete all of a run", ROOT),
        get("list after all", "artifacts/list", run_id="$run"),
    ]


def beyond() -> list[Call]:
    return [delete("delete run folder", "$exp/$empty"), delete("delete experiment folder", "$exp")]


CALLS = [*making(), *proxied(), *of_runs(), *of_models(), *direct(), *deleting(), *bad_paths(), *beyond()]


def file_answers(url: str, calls: Sequence[Call] = tuple(CALLS)) -> dict[str, FileAnswer]:
    """What the server at `url`, which must be empty, answers to every call."""
    saved: dict[str, str] = {}
    found = {}
    for call in calls:
        status, headers, content = _send(url, _filled(call, saved))
        body: Any = content.decode("utf-8", "backslashreplace")
        kind = headers.get("content-type", "").partition(";")[0]
        if kind == "application/json" and "content-disposition" not in headers:
            with contextlib.suppress(ValueError):  # MLflow sends some plain text under this name.
                body = json.loads(content)
        if status == 200:
            for name, keys in call.save.items():
                value: Any = body
                for key in keys:
                    value = value[key]
                saved[name] = value
        shown = {name: _parsed(headers[name]) for name in HEADERS if name in headers} if status == 200 else {}
        found[call.name] = FileAnswer(status, _normal(body, saved), shown)
    return found


def _parsed(header: str) -> str:
    """A header without the quotes that only one of the servers puts around a name that needs none."""
    return re.sub(r'="([\w.+-]+)"', r"=\1", header)


def _filled(call: Call, saved: Mapping[str, str]) -> Call:
    path = call.path + (f"?{urlencode(call.query, safe='$')}" if call.query else "")
    content = call.raw if call.raw is not None else b"" if call.method == "GET" else json.dumps(call.body).encode()
    if call.method == "DELETE" and call.raw is None:
        content = b""
    for name, value in saved.items():
        path, content = path.replace(f"${name}", value), content.replace(f"${name}".encode(), value.encode())
    return replace(call, path=path, raw=content, query=())


def _send(url: str, call: Call) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.putrequest(call.method, call.path)
    if call.method != "GET":
        if call.content_type:
            connection.putheader("Content-Type", call.content_type)
        connection.putheader("Content-Length", str(len(call.raw or b"")))
    connection.endheaders(call.raw if call.method != "GET" else None)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, content


IGNORED = ("sqlstate", "error_class", "workspace")
TIMES = re.compile(r"(creation|last_update|last_updated)_(time|timestamp|timestamp_ms)")


def _normal(body: Any, saved: Mapping[str, str]) -> Any:
    """The body without ids, times, and the fields of MLflow's newest version that its client does not need."""
    if isinstance(body, dict):
        kept = {key: value for key, value in body.items() if key not in IGNORED and (key, value) != ("outputs", {})}
        return {key: "$time" if TIMES.fullmatch(key) else _normal(value, saved) for key, value in kept.items()}
    if isinstance(body, list):
        return [_normal(item, saved) for item in body]
    if isinstance(body, str):
        for name, value in saved.items():
            if len(value) > 30:
                body = body.replace(value, f"${name}")
        body = re.sub(r"[0-9a-f]{32}", "$id", body)
        return re.sub(r"^[a-z]+-[a-z]+-\d+$", "$made-up", body)
    return body
