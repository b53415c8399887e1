"""In what the registry differs from MLflow's on purpose. docs/compatibility.md prints every reason as it stands."""

REASONS = {
    "wording": (
        "Some error texts of the registry are worded otherwise, with the same status and error code: they say more of "
        "what was wrong, or leave out SQL that MLflow shows."
    ),
    "model names": "The name of a registered model has at most 500 characters. MLflow sets no limit.",
    "no 500": (
        "Where MLflow's registry answers 500 (a version number too large for its database, a `file:` address with a "
        "host, a stage that archives nothing, an order that names a field twice), Minleaf says what is wrong with the "
        "request."
    ),
    "sources": (
        "A model version may have any source that names no run, logged model or experiment of this server, as with "
        "MLflow 3.6: `runs:/…` of an unknown run, `mlflow-artifacts:/…` outside every experiment, `https:` addresses. "
        "MLflow 3.17 refuses these. What does name a run, logged model or experiment has to lie in the run or model "
        "that the request names, if it names one. Minleaf opens no source outside its own stores."
    ),
    "schemes": (
        "A source whose scheme is that of no artifact store (`gopher:`, `javascript:`, `data:`, `jar:`) is refused. "
        "MLflow takes it."
    ),
    "aliases": (
        "The answers of searches, and the latest versions of a registered model, show the aliases of each version. "
        "MLflow leaves them out there."
    ),
    "filters": (
        "Filters of the registry take `or`, `not`, parentheses, `not like` and plain words too. Every filter that "
        "MLflow takes means the same."
    ),
    "page sizes": "A search of registered models for 0 or fewer results is refused. MLflow answers with none.",
    "sets": "MLflow names the valid keys in another order each time it is started.",
}

_MODELS, _VERSIONS = "search models", "search versions"
DIFFERENT = {
    "create model named '.'": "wording",
    "create model named '..x'": "wording",
    "get model with long name": "model names",
    "create model with tag without key": "wording",
    "create model with long key": "wording",
    "create model with long tag": "wording",
    "create long prompt version": "wording",
    "create prompt version from file": "wording",
    f"get version {'9' * 30!r}": "no 500",
    "download uri without version": "wording",
    "source {'source': 'file:///etc', 'run_id': '$run'}": "wording",
    "source {'source': 'mlflow-artifacts:/../../etc'}": "wording",
    "source {'source': 's3://b/../c'}": "wording",
    "source {'source': 'http:///#/../../etc/'}": "wording",
    "source {'source': 'gopher://h/x'}": "schemes",
    "source {'source': 'file://host/etc'}": "no 500",
    "source {'source': 'https://host/model'}": "sources",
    "source {'source': 'runs:/nobody/model', 'run_id': 'other'}": "sources",
    "source {'source': 'mlflow-artifacts:/models', 'run_id': '$run'}": "sources",
    "source {'source': 'mlflow-artifacts:/0/$run/artifacts'}": "sources",
    "set long alias": "wording",
    "get model with aliases": "aliases",
    "search versions with aliases": "aliases",
    "search models with aliases": "aliases",
    "archive and archive": "no 500",
    **{f"{_MODELS} by {key!r}": "wording" for key in ("creation_timestamp", "version_number", "run_id", "tags.t")},
    **{f"{_MODELS}: {text}": "page sizes" for text in ("0 results", "-1 results")},
    **{f"{_VERSIONS} by {key!r}": "sets" for key in ("timestamp", "run_id")},
    f"{_VERSIONS} by 'tags.t'": "wording",
    f"{_VERSIONS}: evil = 'x'": "sets",
    f"{_VERSIONS}: name = 5": "wording",
    "rename to taken": "wording",
}
for _kind in (_MODELS, _VERSIONS):
    DIFFERENT |= {f"{_kind}: {text}": "filters" for text in ("name", "name = 'm' OR name = 'p'", "name NOT LIKE 'x'")}
    DIFFERENT |= {f"{_kind}: {text}": "wording" for text in ("name LIKE", "bad token", "200001 results")}
    DIFFERENT |= {f"{_kind}: {2**40} results": "wording", f"{_kind} by name twice": "no 500"}
