"""The requests about users and permissions, in MLflow's form."""

from typing import Annotated

from msgspec import Meta

from minleaf_server.rest.messages import Request, Text

UserName = Annotated[str, Meta(min_length=1, description="The name of a user.")]
Password = Annotated[str, Meta(min_length=1, description="At least 12 characters.")]
PermissionName = Annotated[
    str, Meta(min_length=1, description="`READ`, `USE`, `EDIT`, `MANAGE`, `NO_PERMISSIONS` or `DENY`.")
]


class CreateUser(Request):
    username: UserName
    password: Password


class UserByName(Request):
    username: UserName


class UpdatePassword(Request):
    username: UserName
    password: Password


class UpdateAdmin(Request):
    username: UserName
    is_admin: bool


class NewExperimentPermission(Request):
    experiment_id: Text
    username: UserName
    permission: PermissionName


class ExperimentPermissionOf(Request):
    experiment_id: Text
    username: UserName


class NewRegisteredModelPermission(Request):
    name: Text
    username: UserName
    permission: PermissionName


class RegisteredModelPermissionOf(Request):
    name: Text
    username: UserName


class NewScorerPermission(Request):
    experiment_id: Text
    scorer_name: Text
    username: UserName
    permission: PermissionName


class ScorerPermissionOf(Request):
    experiment_id: Text
    scorer_name: Text
    username: UserName
