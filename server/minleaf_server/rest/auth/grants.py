"""The endpoints of permissions: on experiments, registered models and scorers."""

from minleaf_server.entities.permission import Resource
from minleaf_server.rest.auth import messages, replies
from minleaf_server.rest.auth.users import authority_of
from minleaf_server.rest.endpoint import Endpoint
from minleaf_server.rest.replies import Empty
from minleaf_server.tracking import users
from minleaf_server.tracking.permissions import experiment_name
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access

_ExperimentKey = messages.NewExperimentPermission | messages.ExperimentPermissionOf
_ModelKey = messages.NewRegisteredModelPermission | messages.RegisteredModelPermissionOf
_ScorerKey = messages.NewScorerPermission | messages.ScorerPermissionOf
_Key = tuple[Resource, str, str]


def _experiment(message: _ExperimentKey) -> _Key:
    name = experiment_name(message.experiment_id)
    return Resource.EXPERIMENT, name, f"experiment_id={message.experiment_id}"


def _model(message: _ModelKey) -> _Key:
    return Resource.REGISTERED_MODEL, message.name, f"name={message.name}"


def _scorer(message: _ScorerKey) -> _Key:
    name = f"{experiment_name(message.experiment_id)}/{message.scorer_name}"
    return Resource.SCORER, name, f"experiment_id={message.experiment_id}, scorer_name={message.scorer_name}"


@access(Access.MANAGE, On.EXPERIMENT)
async def create_of_experiment(
    services: Services, message: messages.NewExperimentPermission
) -> replies.OneExperimentPermission:
    """Give a user a permission on an experiment."""
    key = _experiment(message)
    user = await users.grant(authority_of(services), *key, message.username, message.permission)
    return replies.OneExperimentPermission(replies.ExperimentPermission(key[1], user.id, message.permission))


@access(Access.MANAGE, On.EXPERIMENT)
async def get_of_experiment(
    services: Services, message: messages.ExperimentPermissionOf
) -> replies.OneExperimentPermission:
    """Get the permission of a user on an experiment."""
    key = _experiment(message)
    user, level = await users.granted(authority_of(services), *key, message.username)
    return replies.OneExperimentPermission(replies.ExperimentPermission(key[1], user.id, level.name))


@access(Access.MANAGE, On.EXPERIMENT)
async def update_of_experiment(services: Services, message: messages.NewExperimentPermission) -> Empty:
    """Change the permission of a user on an experiment."""
    await users.change_grant(authority_of(services), *_experiment(message), message.username, message.permission)
    return Empty()


@access(Access.MANAGE, On.EXPERIMENT)
async def delete_of_experiment(services: Services, message: messages.ExperimentPermissionOf) -> Empty:
    """Take the permission of a user on an experiment away."""
    await users.change_grant(authority_of(services), *_experiment(message), message.username, None)
    return Empty()


@access(Access.MANAGE, On.REGISTERED_MODEL)
async def create_of_model(
    services: Services, message: messages.NewRegisteredModelPermission
) -> replies.OneRegisteredModelPermission:
    """Give a user a permission on a registered model."""
    user = await users.grant(authority_of(services), *_model(message), message.username, message.permission)
    return _of_model(message.name, user.id, message.permission)


@access(Access.MANAGE, On.REGISTERED_MODEL)
async def get_of_model(
    services: Services, message: messages.RegisteredModelPermissionOf
) -> replies.OneRegisteredModelPermission:
    """Get the permission of a user on a registered model."""
    user, level = await users.granted(authority_of(services), *_model(message), message.username)
    return _of_model(message.name, user.id, level.name)


@access(Access.MANAGE, On.REGISTERED_MODEL)
async def update_of_model(services: Services, message: messages.NewRegisteredModelPermission) -> Empty:
    """Change the permission of a user on a registered model."""
    await users.change_grant(authority_of(services), *_model(message), message.username, message.permission)
    return Empty()


@access(Access.MANAGE, On.REGISTERED_MODEL)
async def delete_of_model(services: Services, message: messages.RegisteredModelPermissionOf) -> Empty:
    """Take the permission of a user on a registered model away."""
    await users.change_grant(authority_of(services), *_model(message), message.username, None)
    return Empty()


def _of_model(name: str, user_id: int, permission: str) -> replies.OneRegisteredModelPermission:
    return replies.OneRegisteredModelPermission(replies.RegisteredModelPermission(name, user_id, permission))


@access(Access.MANAGE, On.EXPERIMENT)
async def create_of_scorer(services: Services, message: messages.NewScorerPermission) -> replies.OneScorerPermission:
    """Give a user a permission on a scorer. Scorers themselves are not there yet."""
    user = await users.grant(authority_of(services), *_scorer(message), message.username, message.permission)
    return _of_scorer(message, user.id, message.permission)


@access(Access.MANAGE, On.EXPERIMENT)
async def get_of_scorer(services: Services, message: messages.ScorerPermissionOf) -> replies.OneScorerPermission:
    """Get the permission of a user on a scorer."""
    user, level = await users.granted(authority_of(services), *_scorer(message), message.username)
    return _of_scorer(message, user.id, level.name)


@access(Access.MANAGE, On.EXPERIMENT)
async def update_of_scorer(services: Services, message: messages.NewScorerPermission) -> Empty:
    """Change the permission of a user on a scorer."""
    await users.change_grant(authority_of(services), *_scorer(message), message.username, message.permission)
    return Empty()


@access(Access.MANAGE, On.EXPERIMENT)
async def delete_of_scorer(services: Services, message: messages.ScorerPermissionOf) -> Empty:
    """Take the permission of a user on a scorer away."""
    await users.change_grant(authority_of(services), *_scorer(message), message.username, None)
    return Empty()


def _of_scorer(message: _ScorerKey, user_id: int, permission: str) -> replies.OneScorerPermission:
    shown = replies.ScorerPermission(message.experiment_id, message.scorer_name, user_id, permission)
    return replies.OneScorerPermission(shown)


_EXPERIMENTS = "/2.0/mlflow/experiments/permissions"
_MODELS = "/2.0/mlflow/registered-models/permissions"
_SCORERS = "/3.0/mlflow/scorers/permissions"

ENDPOINTS = (
    Endpoint("POST", f"{_EXPERIMENTS}/create", create_of_experiment),
    Endpoint("GET", f"{_EXPERIMENTS}/get", get_of_experiment),
    Endpoint("PATCH", f"{_EXPERIMENTS}/update", update_of_experiment),
    Endpoint("DELETE", f"{_EXPERIMENTS}/delete", delete_of_experiment),
    Endpoint("POST", f"{_MODELS}/create", create_of_model),
    Endpoint("GET", f"{_MODELS}/get", get_of_model),
    Endpoint("PATCH", f"{_MODELS}/update", update_of_model),
    Endpoint("DELETE", f"{_MODELS}/delete", delete_of_model),
    Endpoint("POST", f"{_SCORERS}/create", create_of_scorer),
    Endpoint("GET", f"{_SCORERS}/get", get_of_scorer),
    Endpoint("PATCH", f"{_SCORERS}/update", update_of_scorer),
    Endpoint("DELETE", f"{_SCORERS}/delete", delete_of_scorer),
)
