"""Reads of users and permissions."""

from collections.abc import Sequence

from sqlalchemy import Connection, Row, func, select

from minleaf_server.db.tables.auth import account, auth_change, permission
from minleaf_server.db.tables.logged_models import logged_model
from minleaf_server.db.tables.runs import experiment, run
from minleaf_server.entities.permission import Permission, Resource
from minleaf_server.entities.user import User
from minleaf_server.errors import NotFound

Changes = tuple[int, int]
Grants = dict[tuple[Resource, str], Permission]


def changes(conn: Connection) -> Changes:
    """How often the users and the permissions have changed."""
    found = {row.area: row.number for row in conn.execute(select(auth_change))}
    return found.get(1, 0), found.get(2, 0)


def user(conn: Connection, name: str) -> User | None:
    """The user of this name."""
    row = conn.execute(select(account).where(account.c.name == name)).first()
    return None if row is None else _user(row)


def known_user(conn: Connection, name: str) -> User:
    """The user of this name. Raises NotFound with MLflow's text."""
    found = user(conn, name)
    if found is None:
        raise NotFound(f"User with username={name} not found")
    return found


def admins(conn: Connection) -> int:
    """The number of administrators."""
    return conn.execute(select(func.count()).select_from(account).where(account.c.is_admin == 1)).scalar_one()


def grants(conn: Connection, user_id: int) -> Grants:
    """All permissions of a user, by kind and name of the resource, in their order."""
    query = select(permission).where(permission.c.account_id == user_id)
    rows = conn.execute(query.order_by(permission.c.kind, permission.c.resource))
    return {(Resource(row.kind), row.resource): Permission(row.level) for row in rows}


def experiments_of_runs(conn: Connection, run_ids: Sequence[str]) -> dict[str, int]:
    """The experiment of each run that exists."""
    query = select(run.c.uuid, run.c.experiment_id).where(run.c.uuid.in_(run_ids))
    return {row.uuid: row.experiment_id for row in conn.execute(query)}


def experiments_of_models(conn: Connection, model_ids: Sequence[str]) -> dict[str, int]:
    """The experiment of each logged model that exists, deleted ones too."""
    query = select(logged_model.c.uuid, logged_model.c.experiment_id).where(logged_model.c.uuid.in_(model_ids))
    return {row.uuid: row.experiment_id for row in conn.execute(query)}


def experiment_named(conn: Connection, name: str) -> int | None:
    """The id of the experiment of this name."""
    return conn.execute(select(experiment.c.id).where(experiment.c.name == name)).scalar()


def experiment_locations(conn: Connection) -> list[tuple[int, str]]:
    """The id and the artifact location of every experiment, deleted ones too."""
    rows = conn.execute(select(experiment.c.id, experiment.c.artifact_location))
    return [(row.id, row.artifact_location) for row in rows]


def _user(row: Row[tuple[object, ...]]) -> User:
    return User(row.id, row.name, bool(row.is_admin), row.password_hash)
