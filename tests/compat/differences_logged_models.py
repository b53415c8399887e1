"""In what Minleaf's answers about logged models differ from MLflow's on purpose. See `differences`."""

REASONS = {
    "entries of a model": (
        "A param or tag of a logged model needs a key. A param that is sent again with the same value changes nothing, "
        "because a client repeats a request whose answer was lost, and of a tag given twice the last value stands. "
        "MLflow stores an empty key, and answers the others with SQL."
    ),
    "names of models": (
        "An empty name of a logged model is refused, and one of more than 500 characters. MLflow makes up a name for "
        "the former, and leaves the latter to its database."
    ),
    "ids in the path": "The id of a logged model stands in the path and need not be repeated in the body.",
    "status of a model": "An unknown status of a logged model is refused. MLflow stores it as unspecified.",
    "unknown models": (
        "A metric of a logged model that does not exist is 404, and nothing of its request is stored. MLflow answers "
        "400 with SQL, and version 3.6 stores the metric in the run."
    ),
    "values of models": (
        "A NaN of a logged model stays one, where MLflow stores 0, and two values of one metric, time and step are "
        "both kept, where MLflow answers the second with SQL."
    ),
    "search of models": (
        "In a search of logged models, the prefixes and aliases of the filter language may be used, params compare "
        "with numbers, the status compares by name, and a dataset without a digest stands for all of its name. MLflow "
        "compares the status with the number that its database stores, and finds nothing for such a dataset."
    ),
    "results of models": (
        "A search of logged models for fewer than 0 results is refused, and a token or an order that cannot be read "
        "too. MLflow answers no results, status 500, and that an empty name is no field."
    ),
    "model info": (
        "A legacy model description that is no JSON object is refused, where MLflow answers 500, and the fields that "
        "one lacks are named in alphabetical order."
    ),
    "wording of models": "Error texts of logged models say where in a filter or an order the mistake is.",
}
"""docs/compatibility.md prints every reason as it stands."""

DIFFERENT = {
    "create model with empty name": "names of models",
    "create model with long name": "names of models",
    "create model with param twice": "entries of a model",
    "create model with tag twice": "entries of a model",
    "create model with param without key": "entries of a model",
    "set tag without key": "entries of a model",
    "log param again": "entries of a model",
    "log param with other value": "entries of a model",
    "finalize without id in body": "ids in the path",
    "log params without id in body": "ids in the path",
    "finalize to nothing known": "status of a model",
    "finalize to number 7": "status of a model",
    "log metric of unknown model": "unknown models",
    "batch of unknown model": "unknown models",
    "lost model with NaN": "values of models",
    "change value again": "values of models",
    "lost model with two values": "values of models",
    "search models: filter metric.acc > 0.4": "search of models",
    "search models: filter params.depth > 2": "search of models",
    "search models: filter status = 'READY'": "search of models",
    "search models: dataset by name": "search of models",
    "search models: minus results": "results of models",
    "search models: bad token": "results of models",
    "search models: order as text": "results of models",
    "log-model empty": "model info",
    "log-model list": "model info",
    "search models: filter Foo": "wording of models",
    "search models: filter creation_time LIKE '0'": "wording of models",
    "search models: filter name = 'first' OR name = 'second'": "wording of models",
    "search models: filter nothing = 'x'": "wording of models",
    "search models: filter name =": "wording of models",
    "search models: filter name = 'open": "wording of models",
    "search models: filter metrics.acc = 'x'": "wording of models",
}
