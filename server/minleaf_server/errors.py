"""The errors of the product, as a small tree. They know codes, not HTTP: `rest` maps a code to a status.

The codes are MLflow's names, because its client shows them to the user and some of its callers branch on them.
"""

from typing import ClassVar


class MinleafError(Exception):
    """Base of every error that may be shown to a user. `str(error)` is the text of the answer."""

    code: ClassVar[str] = "INTERNAL_ERROR"

    @property
    def message(self) -> str:
        return str(self)


class InvalidParameter(MinleafError):
    """The request is wrong: a bad value, a missing field, a name that is not allowed."""

    code = "INVALID_PARAMETER_VALUE"


class NotFound(MinleafError):
    """The experiment, run or tag named in the request does not exist."""

    code = "RESOURCE_DOES_NOT_EXIST"


class EndpointNotFound(MinleafError):
    """There is no such route."""

    code = "ENDPOINT_NOT_FOUND"


class AlreadyExists(MinleafError):
    """The name is taken."""

    code = "RESOURCE_ALREADY_EXISTS"


class InvalidState(MinleafError):
    """The object exists but its state forbids the call."""

    code = "INVALID_STATE"


class PermissionDenied(MinleafError):
    """The caller may not do this."""

    code = "PERMISSION_DENIED"


class Unauthenticated(MinleafError):
    """Nobody is known by what the request says of its sender."""

    code = "UNAUTHENTICATED"


class TooManyAttempts(MinleafError):
    """Refused for a while after many failures; the same request may succeed in `retry_after_seconds`."""

    code = "REQUEST_LIMIT_EXCEEDED"

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class TooLarge(MinleafError):
    """The body is larger than the server takes."""

    code = "REQUEST_TOO_LARGE"


class NotSupported(MinleafError):
    """A feature of MLflow that Minleaf does not have."""

    code = "NOT_IMPLEMENTED"


class Exhausted(MinleafError):
    """A resource of the server, such as disk space, is used up."""

    code = "RESOURCE_EXHAUSTED"


class Unavailable(MinleafError):
    """The server cannot answer now; the same request may succeed in `retry_after_seconds`."""

    code = "TEMPORARILY_UNAVAILABLE"

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SetupError(Exception):
    """The server cannot start as configured. The command line prints the text and exits with code 2."""
