"""Reads of experiments."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from minleaf_server.db.integers import one_of
from minleaf_server.db.tables import experiment, experiment_tag, run
from minleaf_server.entities import Experiment, ExperimentOverview, Lifecycle
from minleaf_server.errors import NotFound


def by_id(conn: Connection, experiment_id: int) -> Experiment:
    """Deleted ones too. Raises NotFound."""
    found = load(conn, [experiment_id])
    if not found:
        raise NotFound(f"No Experiment with id={experiment_id} exists")
    return found[0]


def by_name(conn: Connection, name: str) -> Experiment:
    """Deleted ones too, as MLflow. Raises NotFound."""
    row_id = conn.execute(select(experiment.c.id).where(experiment.c.name == name)).scalar()
    if row_id is None:
        raise NotFound(f"Could not find experiment with name '{name}'")
    return by_id(conn, row_id)


def load(conn: Connection, ids: Sequence[int]) -> list[Experiment]:
    """The experiments with these ids, in this order, with their tags. Unknown ids are left out."""
    tags: dict[int, dict[str, str]] = {}
    wanted = one_of(experiment_tag.c.experiment_id, ids)
    for row in conn.execute(select(experiment_tag).where(wanted).order_by(experiment_tag.c.key)):
        tags.setdefault(row.experiment_id, {})[row.key] = row.value
    rows = {row.id: row for row in conn.execute(select(experiment).where(one_of(experiment.c.id, ids)))}
    return [
        Experiment(
            row.id,
            row.name,
            row.artifact_location,
            Lifecycle(row.lifecycle),
            row.creation_time,
            row.last_update_time,
            tags.get(row.id, {}),
        )
        for row in (rows[identity] for identity in ids if identity in rows)
    ]


def overview(conn: Connection) -> list[ExperimentOverview]:
    """The active experiments with their number of active runs, those with the latest activity first."""
    active_runs = (
        select(run.c.experiment_id, func.count().label("runs"), func.max(run.c.start_time).label("last"))
        .where(run.c.lifecycle == Lifecycle.ACTIVE)
        .group_by(run.c.experiment_id)
    )
    counts = {row.experiment_id: (row.runs, row.last) for row in conn.execute(active_runs)}
    ids = conn.execute(select(experiment.c.id).where(experiment.c.lifecycle == Lifecycle.ACTIVE)).scalars().all()
    rows = [ExperimentOverview(found, *counts.get(found.id, (0, None))) for found in load(conn, ids)]
    return sorted(rows, key=lambda row: (-(row.last_start_time or row.experiment.creation_time), row.experiment.id))
