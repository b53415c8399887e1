"""In what Minleaf's answers in GraphQL differ from MLflow's on purpose. See `differences`."""

REASONS = {
    "errors": "An error of one field is its `apiError`. MLflow puts it into `errors` and the field to null.",
    "inputs": (
        "A root field checks its input as the REST call of that name does. MLflow passes over what is missing and over "
        "the range of steps, takes no experiment for the default one, fails with Python's words without any input, and "
        "cannot read `runViewType`."
    ),
    "echoes": (
        "`test` and `testMutation` echo, also without an input. MLflow fails for the one and answers null for the "
        "other."
    ),
    "aliases": "Model versions come with their aliases, as in the searches of the registry. MLflow leaves them out.",
    "NaN": "A NaN is null without an error beside it. In the points of a metric MLflow adds one.",
    "directives": "`@skip` and `@include` work, which MLflow does not know.",
    "addresses": "A query may also stand in the address of a GET, which MLflow answers with status 500.",
    "no 500": "Where MLflow's server fails with a page and status 500, Minleaf says what is wrong with the request.",
    "stored": "A stored file is answered with `{}`, as MLflow's own API says. MLflow 3.17 answers with nothing at all.",
}
DIFFERENT = {
    **dict.fromkeys(
        (
            "unknown experiment",
            "bad experiment",
            "unknown run",
            "no run",
            "files outside",
            "files of unknown run",
            "versions by bad filter",
            "too many versions",
            "search: bad filter",
            "search: bad token",
            "search: too many",
            "datasets of no experiment",
        ),
        "errors",
    ),
    **dict.fromkeys(
        (
            "no experiment",
            "experiment without input",
            "points of a range",
            "points of half a range",
            "points of no run",
            "points without metric",
            "search: deleted",
        ),
        "inputs",
    ),
    **dict.fromkeys(("echo nothing", "echo as mutation"), "echoes"),
    **dict.fromkeys(("versions", "versions by filter", "versions by text", "run with all"), "aliases"),
    "points with NaN": "NaN",
    "directives": "directives",
    "query in the address": "addresses",
    **dict.fromkeys(
        (
            "no query at all",
            "half a query",
            "no query",
            "null query",
            "number as query",
            "list of queries",
            "text as variables",
            "no JSON",
        ),
        "no 500",
    ),
    "store file": "stored",
}
