"""The lines that an empty server, or an empty experiment, offers to paste."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snippet:
    """A few lines of Python under a title."""

    title: str
    code: str


@dataclass(frozen=True, slots=True)
class Greeting:
    """What stands where the first runs will be."""

    title: str
    text: str
    snippets: tuple[Snippet, ...]


_RUN = """
with mlflow.start_run():
    mlflow.log_param("max_depth", 3)
    mlflow.log_metric("test_acc", 0.44)
"""


def greeting(address: str, experiment: str | None = None) -> Greeting:
    """The greeting of a server reached at `address`, or of one of its experiments."""
    chosen = f"mlflow.set_experiment({experiment!r})\n" if experiment and experiment != "Default" else ""
    uri = f"mlflow.set_tracking_uri({address!r})\n"
    return Greeting(
        title="No runs yet",
        text="Paste one of these into a Python session. The run appears here.",
        snippets=(
            Snippet("With the mlflow client", "import mlflow\n\n" + uri + chosen + _RUN),
            Snippet("With Minleaf's own client", "import minleaf as mlflow\n\n" + uri + chosen + _RUN),
        ),
    )
