"""In what Minleaf's answers about artifacts differ from MLflow's on purpose. See `differences`."""

from tests.compat.differential_artifacts import BAD, CALLS

REASONS = {
    "paths": (
        "A path is decoded once. What leaves the root, an empty name, `.`, a backslash, a control character, bytes "
        "that are no UTF-8, and a path that is too long get 400; MLflow decodes again and again, redirects, answers "
        "500, or lists, writes or deletes something else for some. `#` and `?` are characters of names; MLflow "
        "refuses `#`."
    ),
    "deletes": (
        "Deleting through `mlflow-artifacts` takes only what lies in or below the artifact folder of a run, a logged "
        "model or a trace. `.`, `%2e`, an empty path, an experiment's or a run's folder get 400. With MLflow one such "
        "request empties the store."
    ),
    "stored": "A stored file is answered with `{}`, as MLflow's own API says. MLflow 3.17 answers with nothing at all.",
    "folders": "A folder that is asked for as a file is 404, on every store. MLflow's local store answers 400.",
    "clashes": "A file over a folder, or below a file, is refused with 400. MLflow answers 500.",
    "media types": (
        "Pages and style sheets are sent as `text/plain`, and what is compressed with the type of the compression. "
        "MLflow sends a page as a page, and a `.tar.gz` as a tar archive."
    ),
    "file names": (
        "The name of a download is spelled in ASCII with `_` for other characters, and in full beside it. MLflow takes "
        "accents off."
    ),
    "empty files": "The size of an empty file is 0. MLflow leaves it out.",
    "missing arguments": (
        "A missing argument of a download is INVALID_PARAMETER_VALUE with its name. MLflow answers with a page, "
        "BAD_REQUEST, status 500, or that there is no run `None`."
    ),
    "run_id": "`upload-artifact` takes `run_id` for `run_uuid` too.",
    "parts": (
        "An upload in parts with a wrong path or number of parts is 400, before it is told that the store takes none."
    ),
    "unknown paths": "An unknown path or method is answered with a JSON error, not with a page.",
    "wording": "Some error texts are worded otherwise, with the same status and error code",
}

_EVERYWHERE = ("get", "put", "list", "list run", "get-artifact", "version", "upload", "mpu", "delete")
_SAME = ("..", "../x", "a/../b", "a/../../x", "%2e%2e/x", "%2e%2e%2fx", "%252e%252e/x", "a/%2e%2e/%2e%2e/x", "C:/x")
_SOMEWHERE = {
    **dict.fromkeys((*_SAME, "C%3a%5cx", "file:///etc/passwd"), ()),
    **dict.fromkeys(("/etc/passwd", "%2fetc/passwd", "//etc/passwd"), ("mpu", "delete")),
    "a%23b": _EVERYWHERE[:-1],
    "a%3fb": ("delete",),
    "~/x": ("delete",),
}
_STORED = ("put a%3fb", "put ~/x", "upload a%3fb", "upload ~/x")

DIFFERENT = {
    **{
        f"{how} bad {path if len(path) < 50 else f'{path[:5]} times {len(path)}'}": "paths"
        for path in BAD
        for how in _SOMEWHERE.get(path, _EVERYWHERE)
    },
    **{name.replace(" ", " bad ", 1): "stored" for name in _STORED},
    **{call.name: "stored" for call in CALLS if call.method == "PUT" and " bad " not in call.name},
    **dict.fromkeys(("upload", "upload again", "upload the most"), "stored"),
    "put over folder": "clashes",
    "put below file": "clashes",
    "get percent%25.txt": "paths",
    "get empty path": "paths",
    "delete run folder": "deletes",
    "delete experiment folder": "deletes",
    **dict.fromkeys(("folder of model", "folder of run as file", "folder of version", "get folder"), "folders"),
    **dict.fromkeys(("get a.css", "get a.html", "get a.tar.gz"), "media types"),
    'get quote"d.txt': "file names",
    "get été.txt": "file names",
    **dict.fromkeys(
        (
            "list tree",
            "list tree with slash",
            "list folder of run",
            "list folder of run with slash",
            "list after deletes",
        ),
        "empty files",
    ),
    **dict.fromkeys(
        (
            "file of model without path",
            "file of version without path",
            "file of version without version",
            "file with empty path",
            "file without path",
            "file without run",
        ),
        "missing arguments",
    ),
    "file of version without name": "wording",
    "signed download": "wording",
    "upload by run_id": "run_id",
    "list uploads": "run_id",
    "post a file": "unknown paths",
    **dict.fromkeys(("begin no parts", "begin too many parts", "begin parts of a path"), "parts"),
}
