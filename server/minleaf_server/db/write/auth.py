"""Writes of users and permissions. Each notes the change, so that every process drops what it remembers."""

from sqlalchemy import ColumnElement, delete, update

from minleaf_server.db.read import auth as read
from minleaf_server.db.tables.auth import account, permission
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write.experiments import now_ms
from minleaf_server.entities.permission import Permission, Resource
from minleaf_server.entities.user import User
from minleaf_server.errors import AlreadyExists, InvalidParameter

_USERS, _PERMISSIONS = 1, 2


def create_user(tx: Transaction, name: str, password_hash: str, is_admin: bool) -> User:
    """A new user. Raises AlreadyExists."""
    made = tx.dialect.insert(account).values(
        name=name, password_hash=password_hash, is_admin=int(is_admin), creation_time=now_ms()
    )
    row_id = tx.conn.execute(made.on_conflict_do_nothing().returning(account.c.id)).scalar()
    if row_id is None:
        raise AlreadyExists(f"User (username={name}) already exists.")
    _note(tx, _USERS)
    return User(row_id, name, is_admin, password_hash)


def set_password(tx: Transaction, name: str, password_hash: str) -> None:
    """Raises NotFound."""
    found = read.known_user(tx.conn, name)
    tx.conn.execute(update(account).where(account.c.id == found.id).values(password_hash=password_hash))
    _note(tx, _USERS)


def set_admin(tx: Transaction, name: str, is_admin: bool) -> None:
    """Raises NotFound, InvalidParameter where no administrator would be left."""
    found = read.known_user(tx.conn, name)
    if not is_admin:
        _keep_an_admin(tx, found)
    tx.conn.execute(update(account).where(account.c.id == found.id).values(is_admin=int(is_admin)))
    _note(tx, _USERS)


def delete_user(tx: Transaction, name: str) -> None:
    """With all permissions of the user. Raises NotFound, InvalidParameter where no administrator would be left."""
    found = read.known_user(tx.conn, name)
    _keep_an_admin(tx, found)
    tx.conn.execute(delete(permission).where(permission.c.account_id == found.id))
    tx.conn.execute(delete(account).where(account.c.id == found.id))
    _note(tx, _USERS)
    _note(tx, _PERMISSIONS)


def grant(tx: Transaction, user_id: int, kind: Resource, resource: str, level: Permission) -> bool:
    """Give a permission. Returns False where the user has one on the resource already, which stays."""
    made = tx.dialect.insert(permission).values(account_id=user_id, kind=int(kind), resource=resource, level=int(level))
    done = tx.conn.execute(made.on_conflict_do_nothing().returning(permission.c.account_id)).scalar() is not None
    _note(tx, _PERMISSIONS)
    return done


def change_grant(tx: Transaction, user_id: int, kind: Resource, resource: str, level: Permission | None) -> bool:
    """Change a permission, or take it away (None). Returns False where there is none."""
    one = _of(kind, resource) & (permission.c.account_id == user_id)
    statement = delete(permission).where(one) if level is None else update(permission).where(one).values(level=level)
    done = tx.conn.execute(statement).rowcount > 0
    _note(tx, _PERMISSIONS)
    return done


def own(tx: Transaction, user_id: int, kind: Resource, resource: str) -> None:
    """Let the maker of a new resource manage it. What was granted before under its name was about another one."""
    forget(tx, kind, resource)
    grant(tx, user_id, kind, resource, Permission.MANAGE)


def forget(tx: Transaction, kind: Resource, resource: str) -> None:
    """Drop every permission on a resource that is gone."""
    if tx.conn.execute(delete(permission).where(_of(kind, resource))).rowcount:
        _note(tx, _PERMISSIONS)


def rename(tx: Transaction, kind: Resource, old: str, new: str) -> None:
    """Take the permissions of a resource along to its new name."""
    forget(tx, kind, new)
    if tx.conn.execute(update(permission).where(_of(kind, old)).values(resource=new)).rowcount:
        _note(tx, _PERMISSIONS)


def _of(kind: Resource, resource: str) -> ColumnElement[bool]:
    return (permission.c.kind == int(kind)) & (permission.c.resource == resource)


def _keep_an_admin(tx: Transaction, user: User) -> None:
    # Every change of users takes the lock on its row first, so two servers cannot both take away the last but one.
    _note(tx, _USERS)
    if user.is_admin and read.admins(tx.conn) <= 1:
        raise InvalidParameter(
            f"{user.name} is the only administrator. Make another user an administrator first: without one, nobody "
            "could manage users any more."
        )


def _note(tx: Transaction, area: int) -> None:
    tx.execute(
        "INSERT INTO auth_change (area, number) VALUES (?, 1) "
        "ON CONFLICT (area) DO UPDATE SET number = auth_change.number + 1",
        (area,),
    )
