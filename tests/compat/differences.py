"""In what Minleaf's answers differ from MLflow's on purpose. docs/compatibility.md prints every reason as it stands."""

REASONS = {
    "wording": (
        "Some error texts are worded otherwise, with the same status and error code: they say more of what was wrong, "
        "name the place in a filter, or leave out SQL and Python that MLflow shows."
    ),
    "refused numbers": (
        "A number that does not fit is refused. MLflow answers 200 and stores something else: 0 for a step of 2^63 or "
        "1.5, time 0 for a timestamp with a fraction, 1 for `true`, 1.797e308 for `1e400`, and nothing at all for a "
        "word in a batch."
    ),
    "infinities": (
        "Infinities are stored and sent as `Infinity` and `-Infinity`, which MLflow's client reads as such. MLflow "
        "turns them into ±1.7976931348623157e308."
    ),
    "NaN literals": (
        "A bare `NaN` in a request, which is no JSON but which Python writes, is read as NaN. MLflow stores it as 0.0 "
        "at step 0 and time 0."
    ),
    "long values": (
        "Values of params and tags are kept whole up to 500,000 characters and refused beyond. MLflow cuts params at "
        "6,000 and tags at 8,000 characters without a word."
    ),
    "unstorable text": (
        "Text with a NUL character or half a surrogate pair is refused, because Postgres cannot store the one and no "
        "encoding the other. MLflow on SQLite stores an empty text for the latter."
    ),
    "keys": (
        "A name that ends in a newline is refused, and so is a bad name in the tags of a new run. MLflow takes both."
    ),
    "artifact locations": (
        "An experiment's artifacts stay in the server's own store: a location elsewhere is refused, unless the setting "
        "`allow_artifact_location` names it. MLflow takes nearly any address and opens it later with the server's "
        "rights. A plain relative name is taken as MLflow takes it, but only clients open such a place."
    ),
    "experiment ids": (
        "An experiment id is plain digits. MLflow also takes blanks and other scripts' digits, and answers 500 for one "
        "that is too large for its database; here that is 404."
    ),
    "defaults of a run": (
        "A run that is created without an experiment goes to the default experiment; MLflow's SQL store fails. Without "
        "a start time it has none, and not 1970; without a user it is `unknown`, as with MLflow's client."
    ),
    "enumerations": "An unknown status or view type is refused. MLflow passes over it and answers 200.",
    "taken names": "Renaming to a taken name is RESOURCE_ALREADY_EXISTS, not BAD_REQUEST with SQL in its text.",
    "states": (
        "INVALID_STATE is status 400, not 500: it is the request that is wrong, and MLflow's client repeats a request "
        "that was answered with 500."
    ),
    "spellings": (
        "A required field may also be spelled as protocol buffers do in JSON (`runId`), as MLflow allows for optional "
        "fields only."
    ),
    "no 500": "Where MLflow's server fails with a page and status 500, Minleaf says what is wrong with the request.",
    "invalid JSON": (
        "A body that is no JSON is refused as such. MLflow takes it for an empty object, so that a cut-off request may "
        "still create a run."
    ),
    "unknown runs": "The history of a run that does not exist is 404. MLflow answers 200 and no points.",
    "ignored arguments": (
        "An argument that cannot be read is refused. MLflow ignores a `max_results` or a list of ids that it cannot "
        "read."
    ),
    "interval": (
        "`get-history-bulk-interval` samples evenly by step and adds the first and last step of every run, as MLflow "
        "did until version 3.6, so that points of several runs stay comparable. Newer versions sample each run by "
        "rows. Without a range negative steps are sampled too."
    ),
    "both prefixes": "`get-history-bulk` is there under `/api` too, and not only under `/ajax-api`.",
    "filters": (
        "The filter language is larger: a plain word searches names, and params compare with numbers without quotes. "
        "Every filter that MLflow takes means the same."
    ),
    "paths": "An unknown path or method is answered with a JSON error, not with a page.",
    "server": "`/version` is Minleaf's version, and `server-info` names no optional feature, since there is none yet.",
}

DIFFERENT = {
    "create experiment twice": "wording",
    "create experiment with long name": "wording",
    "create experiment outside": "wording",
    "create experiment in bucket": "artifact locations",
    "create experiment with deleted name": "wording",
    f"get experiment {'1' + '0' * 30!r}": "experiment ids",
    "get experiment ' 0'": "experiment ids",
    "get experiment '\uff10'": "experiment ids",
    "rename to taken": "taken names",
    "set long tag": "wording",
    "create run without start or user": "defaults of a run",
    "create run without experiment": "defaults of a run",
    "create run with bad tag": "keys",
    "get run with camel case": "spellings",
    "log by runId": "spellings",
    "log step too large": "refused numbers",
    "log step with fraction": "refused numbers",
    "log step bool": "refused numbers",
    "log bool": "refused numbers",
    "log overflow": "refused numbers",
    "log blank and number": "refused numbers",
    "log timestamp with fraction": "refused numbers",
    "batch metric word": "refused numbers",
    "history of lost points": "refused numbers",
    "log list": "no 500",
    "list body": "no 500",
    "number body": "no 500",
    "text body": "no 500",
    "deep body": "no 500",
    "batch metrics null": "no 500",
    "batch metrics numbers": "no 500",
    "bulk of x points": "no 500",
    "log key with newline": "keys",
    "log key too long": "wording",
    "log param long key": "wording",
    "set run tag long key": "wording",
    "truncated body": "invalid JSON",
    "truncated body for nothing required": "invalid JSON",
    "log param nul": "unstorable text",
    "log param surrogate": "unstorable text",
    "get run with long values": "long values",
    "history with infinity": "infinities",
    "history with NaN literal": "NaN literals",
    "history of no run": "unknown runs",
    "bulk of unknown run": "unknown runs",
    "interval of unknown run": "unknown runs",
    "history of x points": "ignored arguments",
    "search runs: experiment as number": "ignored arguments",
    "history bad token": "wording",
    "bulk under api": "both prefixes",
    "interval of five": "interval",
    "search runs: filter, plain word": "filters",
    "search runs: filter, unquoted param": "filters",
    "search runs: filter, number as text": "wording",
    "search runs: filter, half a clause": "wording",
    "search runs: filter, unknown attribute": "wording",
    "search runs: max_results 50001": "wording",
    f"search runs: max_results {2**40}": "wording",
    "search runs: order by nothing known": "wording",
    "search runs: bad token": "wording",
    "search runs: bogus view": "enumerations",
    "search experiments: bogus view": "enumerations",
    "search experiments: bogus order": "wording",
    "search experiments: half a clause": "wording",
    "search experiments: bad token": "wording",
    "bogus status": "enumerations",
    "status 77": "wording",
    "rename deleted experiment": "states",
    "unknown path": "paths",
    "wrong method": "paths",
    "version": "server",
    "server info": "server",
}
