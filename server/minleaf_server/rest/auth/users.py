"""The endpoints under `users/`."""

from minleaf_server.db.read.auth import Grants
from minleaf_server.entities.permission import Resource
from minleaf_server.entities.user import User
from minleaf_server.errors import NotSupported
from minleaf_server.rest.auth import messages, replies
from minleaf_server.rest.endpoint import Endpoint
from minleaf_server.rest.replies import Empty
from minleaf_server.tracking import users
from minleaf_server.tracking.authority import Authority
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access


def authority_of(services: Services) -> Authority:
    """The users of this server. Raises NotSupported where nobody has to log in."""
    if services.authority is None:
        raise NotSupported("Users and permissions: this server asks for no login. Start it with --auth.")
    return services.authority


@access(Access.ADMIN)
async def create(services: Services, message: messages.CreateUser) -> replies.OneUser:
    """Create a user, who is no administrator."""
    made = await users.create(authority_of(services), message.username, message.password)
    return replies.OneUser(_shown(made, {}))


@access(Access.READ, On.USER)
async def get(services: Services, message: messages.UserByName) -> replies.OneUser:
    """Get a user with all their permissions: oneself, or anybody for an administrator."""
    return replies.OneUser(_shown(*await users.get(authority_of(services), message.username)))


@access(Access.EDIT, On.USER)
async def update_password(services: Services, message: messages.UpdatePassword) -> Empty:
    """Change a password: one's own, or anybody's for an administrator."""
    await users.set_password(authority_of(services), message.username, message.password)
    return Empty()


@access(Access.ADMIN)
async def update_admin(services: Services, message: messages.UpdateAdmin) -> Empty:
    """Make a user an administrator, or no administrator any more. One has to be left."""
    await users.set_admin(authority_of(services), message.username, message.is_admin)
    return Empty()


@access(Access.ADMIN)
async def delete(services: Services, message: messages.UserByName) -> Empty:
    """Delete a user with all their permissions. One administrator has to be left."""
    await users.delete(authority_of(services), message.username)
    return Empty()


def _shown(user: User, grants: Grants) -> replies.UserInfo:
    info = replies.UserInfo(user.id, user.name, user.is_admin, [], [], [])
    for (kind, resource), level in grants.items():
        if kind is Resource.EXPERIMENT:
            info.experiment_permissions.append(replies.ExperimentPermission(resource, user.id, level.name))
        elif kind is Resource.REGISTERED_MODEL:
            info.registered_model_permissions.append(replies.RegisteredModelPermission(resource, user.id, level.name))
        else:
            experiment_id, _, name = resource.partition("/")
            info.scorer_permissions.append(replies.ScorerPermission(experiment_id, name, user.id, level.name))
    return info


ENDPOINTS = (
    Endpoint("POST", "/2.0/mlflow/users/create", create),
    Endpoint("GET", "/2.0/mlflow/users/get", get),
    Endpoint("PATCH", "/2.0/mlflow/users/update-password", update_password),
    Endpoint("PATCH", "/2.0/mlflow/users/update-admin", update_admin),
    Endpoint("DELETE", "/2.0/mlflow/users/delete", delete),
)
