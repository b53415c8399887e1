"""Where the runs and logged models that a model version is made from keep their artifacts."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from minleaf_server.db.tables import experiment, run
from minleaf_server.db.tables.logged_models import logged_model
from minleaf_server.entities import Lifecycle
from minleaf_server.entities.limits import INT64_MAX


@dataclass(frozen=True, slots=True)
class LoggedModelPlace:
    """A logged model's artifact location and the run that made it (empty where there is none)."""

    artifact_uri: str
    source_run_id: str


def of_logged_model(conn: Connection, model_id: str) -> LoggedModelPlace | None:
    """None for one that does not exist or is deleted."""
    table = logged_model.c
    query = select(table.artifact_uri, table.source_run_id)
    row = conn.execute(query.where(table.uuid == model_id, table.lifecycle == Lifecycle.ACTIVE)).first()
    return LoggedModelPlace(row.artifact_uri, row.source_run_id) if row else None


def of_run(conn: Connection, run_id: str) -> str | None:
    """The artifact location of the run, deleted ones too; None for one that does not exist."""
    found: str | None = conn.execute(select(run.c.artifact_uri).where(run.c.uuid == run_id)).scalar()
    return found


def is_experiment(conn: Connection, text: str) -> bool:
    """Whether this is the id of an experiment."""
    if not (text.isascii() and text.isdigit()) or len(text) >= len(str(INT64_MAX)):
        return False
    return conn.execute(select(experiment.c.id).where(experiment.c.id == int(text))).first() is not None
