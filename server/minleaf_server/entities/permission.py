"""What a user may do with an experiment, a registered model or a scorer: MLflow's names."""

from enum import IntEnum

from minleaf_server.errors import InvalidParameter


class Permission(IntEnum):
    """The larger number permits more. NO_PERMISSIONS and DENY both permit nothing, whatever the default is."""

    NO_PERMISSIONS = 0
    DENY = 1
    READ = 10
    USE = 20
    EDIT = 30
    MANAGE = 40


class Resource(IntEnum):
    """What a permission is about. The name of a resource is a text: see `db/tables/auth.py`."""

    EXPERIMENT = 1
    REGISTERED_MODEL = 2
    SCORER = 3


def parse_permission(text: str) -> Permission:
    """The permission of this name. Raises InvalidParameter that lists the names."""
    try:
        return Permission[text]
    except KeyError:
        names = ", ".join(one.name for one in Permission)
        raise InvalidParameter(f"Invalid permission {text[:100]!r}. It must be one of {names}.") from None
