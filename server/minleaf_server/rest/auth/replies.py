"""The answers about users and permissions, in MLflow's form."""

from msgspec import Struct


class ExperimentPermission(Struct):
    experiment_id: str
    user_id: int
    permission: str


class RegisteredModelPermission(Struct):
    name: str
    user_id: int
    permission: str
    # MLflow's newer clients ask for it; there is one workspace.
    workspace: str = "default"


class ScorerPermission(Struct):
    experiment_id: str
    scorer_name: str
    user_id: int
    permission: str


class UserInfo(Struct):
    """A user. The password, and what is kept of it, is never shown."""

    id: int
    username: str
    is_admin: bool
    experiment_permissions: list[ExperimentPermission] = []
    registered_model_permissions: list[RegisteredModelPermission] = []
    scorer_permissions: list[ScorerPermission] = []


class OneUser(Struct):
    user: UserInfo


class OneExperimentPermission(Struct):
    experiment_permission: ExperimentPermission


class OneRegisteredModelPermission(Struct):
    registered_model_permission: RegisteredModelPermission


class OneScorerPermission(Struct):
    scorer_permission: ScorerPermission
