"""Use cases of users and their permissions, and the first start of a server that asks for a login."""

from minleaf_server.config import Settings
from minleaf_server.db.read import auth as read
from minleaf_server.db.read.auth import Grants
from minleaf_server.db.store import Connection, Store
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write import auth as write
from minleaf_server.entities.permission import Permission, Resource, parse_permission
from minleaf_server.entities.user import User, validate_password, validate_user_name
from minleaf_server.errors import AlreadyExists, InvalidParameter, NotFound, SetupError
from minleaf_server.tracking import passwords
from minleaf_server.tracking.authority import Authority

_NO_ADMIN = (
    "--auth: there is no administrator yet, and no password for the first one. Set MINLEAF_ADMIN_PASSWORD or "
    "MLFLOW_AUTH_ADMIN_PASSWORD (at least 12 characters), or MINLEAF_ADMIN_PASSWORD_FILE, which names a file that "
    "holds it, or let MLFLOW_AUTH_CONFIG_PATH name a file of MLflow's form with admin_password in it."
)


def open_authority(store: Store, settings: Settings) -> Authority:
    """The authority over the users of the database, with the administrator of the settings made where there is none.

    The password of an administrator who exists is left alone. Raises SetupError where nobody could sign in.
    """
    name, password = settings.admin_username or "admin", settings.admin_password
    if store.write_now(lambda tx: read.user(tx.conn, name) is None):
        if password:
            _make_admin(store, name, password)
        elif store.write_now(lambda tx: read.admins(tx.conn)) == 0:
            raise SetupError(_NO_ADMIN)
    return Authority(store, parse_permission(settings.default_permission or "NO_PERMISSIONS"))


def _make_admin(store: Store, name: str, password: str) -> None:
    try:
        validate_user_name(name)
        validate_password(password)
    except InvalidParameter as error:
        raise SetupError(f"The first administrator cannot be made: {error}") from None
    kept = passwords.hashed(password)
    try:
        store.write_now(lambda tx: write.create_user(tx, name, kept, is_admin=True))
    except AlreadyExists:
        return  # Another process of this server was quicker.


async def create(authority: Authority, name: str, password: str) -> User:
    """A new user who is no administrator. Raises InvalidParameter, AlreadyExists."""
    validate_user_name(name)
    validate_password(password)
    kept = await authority.hashing.hashed(password)
    made = await authority.store.write(lambda tx: write.create_user(tx, name, kept, is_admin=False))
    authority.changed()
    return made


async def get(authority: Authority, name: str) -> tuple[User, Grants]:
    """A user and their permissions. Raises NotFound."""

    def job(conn: Connection) -> tuple[User, Grants]:
        found = read.known_user(conn, name)
        return found, read.grants(conn, found.id)

    return await authority.store.read(job)


async def set_password(authority: Authority, name: str, password: str) -> None:
    """Raises InvalidParameter, NotFound."""
    validate_password(password)
    kept = await authority.hashing.hashed(password)
    await authority.store.write(lambda tx: write.set_password(tx, name, kept))
    authority.changed()


async def set_admin(authority: Authority, name: str, is_admin: bool) -> None:
    """Raises NotFound, InvalidParameter where no administrator would be left."""
    await authority.store.write(lambda tx: write.set_admin(tx, name, is_admin))
    authority.changed()


async def delete(authority: Authority, name: str) -> None:
    """With all their permissions. Raises NotFound, InvalidParameter where no administrator would be left."""
    await authority.store.write(lambda tx: write.delete_user(tx, name))
    authority.changed()


_KINDS = {
    Resource.EXPERIMENT: "Experiment permission",
    Resource.REGISTERED_MODEL: "Registered model permission",
    Resource.SCORER: "Scorer permission",
}


async def grant(authority: Authority, kind: Resource, resource: str, what: str, name: str, permission: str) -> User:
    """Give a user a permission on a resource. `what` says which, in the texts of errors.

    Raises InvalidParameter for the permission, NotFound for the user, AlreadyExists where there is one already.
    """
    level = parse_permission(permission)

    def job(tx: Transaction) -> User:
        found = read.known_user(tx.conn, name)
        if not write.grant(tx, found.id, kind, resource, level):
            raise AlreadyExists(f"{_KINDS[kind]} ({what}, username={name}) already exists.")
        return found

    made = await authority.store.write(job)
    authority.changed()
    return made


async def granted(authority: Authority, kind: Resource, resource: str, what: str, name: str) -> tuple[User, Permission]:
    """The permission of a user on a resource. Raises NotFound for either."""
    found, grants = await get(authority, name)
    level = grants.get((kind, resource))
    if level is None:
        raise _missing(kind, what, name)
    return found, level


async def change_grant(
    authority: Authority, kind: Resource, resource: str, what: str, name: str, permission: str | None
) -> None:
    """Change the permission of a user, or take it away (None). Raises InvalidParameter, NotFound."""
    level = None if permission is None else parse_permission(permission)

    def job(tx: Transaction) -> None:
        found = read.known_user(tx.conn, name)
        if not write.change_grant(tx, found.id, kind, resource, level):
            raise _missing(kind, what, name)

    await authority.store.write(job)
    authority.changed()


def _missing(kind: Resource, what: str, name: str) -> NotFound:
    return NotFound(f"{_KINDS[kind]} with {what} and username={name} not found")
