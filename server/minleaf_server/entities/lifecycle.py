"""Whether an experiment or run is active or deleted, and which of the two a search shows."""

from enum import Enum, IntEnum


class Lifecycle(IntEnum):
    """Stored as this number; MLflow's wire shows the lower-case name."""

    ACTIVE = 0
    DELETED = 1

    @property
    def stage(self) -> str:
        """MLflow's `lifecycle_stage`."""
        return self.name.lower()


class ViewType(Enum):
    """Which lifecycles a search returns. The values are MLflow's names."""

    ACTIVE_ONLY = "ACTIVE_ONLY"
    DELETED_ONLY = "DELETED_ONLY"
    ALL = "ALL"

    @property
    def lifecycles(self) -> tuple[Lifecycle, ...]:
        if self is ViewType.ACTIVE_ONLY:
            return (Lifecycle.ACTIVE,)
        if self is ViewType.DELETED_ONLY:
            return (Lifecycle.DELETED,)
        return (Lifecycle.ACTIVE, Lifecycle.DELETED)
