"""In what Minleaf's answers about users and rights differ from MLflow's on purpose. See `differences`."""

from tests.compat.differential_auth import LEVELS

REASONS = {
    "wording": "Some error texts are worded otherwise, with the same status and error code",
    "users": (
        "A user is shown with the permissions of their own, as MLflow 3.6 does. MLflow 3.17 has moved them into roles."
    ),
    "bad users": (
        "An empty name or password, and a word in place of a truth value, are INVALID_PARAMETER_VALUE. MLflow answers "
        "with plain text or SQL."
    ),
    "own password": (
        "One's own password is changed without the old one in the request, as with MLflow 3.6, whose client sends "
        "none. MLflow 3.17 asks for it."
    ),
    "unknown things": (
        "With `default_permission = READ`, a run that does not exist is 404 to an ordinary user, as to an "
        "administrator. MLflow 3.17 answers 403."
    ),
    "searches": "A search of several experiments of which the caller may read none is 403, not an empty page.",
    "fields": "What GraphQL may not show is an answer with null in it. MLflow 3.17 makes the answer itself null.",
    "renaming": (
        "Aliases and tags are deleted with `EDIT` (MLflow 3.6: `MANAGE`), and registered models are renamed with "
        "`MANAGE` (MLflow: `EDIT`)."
    ),
    "stored": "A stored file is answered with `{}`, as MLflow's own API says. MLflow 3.17 answers with nothing at all.",
}
DIFFERENT = {
    **{f"make {user}": "users" for user in LEVELS},
    **{f"{user}: get oneself": "users" for user in LEVELS},
    **{f"{user}: get run that is not there": "unknown things" for user in LEVELS},
    **dict.fromkeys(("create user", "get user", "get administrator"), "users"),
    **dict.fromkeys(("make file", "editor: put proxied", "manager: put proxied"), "stored"),
    **dict.fromkeys(("create user again", "create user with short password", "change to short password"), "wording"),
    **dict.fromkeys(
        ("create user with empty name", "create user with empty password", "make administrator by word"), "bad users"
    ),
    "own password": "own password",
    "nobody: search runs": "searches",
    "nobody: experiment of GraphQL": "fields",
    "editor: rename model": "renaming",
}
PERMISSIONS_DIFFERENT = {
    f"{kind}: {name}": "wording"
    for kind in ("experiment", "model")
    for name in ("create again", "create unknown", "update unknown")
}
