"""The errors the client raises, as one small tree under `MinleafException`.

MinleafException
├── ConnectionFailed        no server could be reached at the tracking URI
├── UnexpectedAnswer        something answered, but not a tracking server
├── ConfigurationError      a tracking URI, credential or environment variable that cannot be used
└── RestException           the server refused, or the client saw that it would refuse
    ├── InvalidParameter  NotFound  AlreadyExists  InvalidState
    ├── Unauthenticated  PermissionDenied
    └── Unavailable         429 and 502 to 504, after the last attempt
"""


class MinleafException(Exception):
    """Every error of this package. `message` is the text, `error_code` MLflow's name for the kind of error."""

    error_code = "INTERNAL_ERROR"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConnectionFailed(MinleafException):
    """No answer from the tracking server: refused, unknown host, broken off or timed out."""

    error_code = "TEMPORARILY_UNAVAILABLE"


class UnexpectedAnswer(MinleafException):
    """An answer that is not of a tracking server, such as the HTML of a sign-in page. Nothing counts as written."""


class ConfigurationError(MinleafException):
    """A tracking URI, credential or environment variable that cannot be used."""

    error_code = "INVALID_PARAMETER_VALUE"


class RestException(MinleafException):
    """The server refused a request.

    `status` is the HTTP status, or None where the client itself found the error before sending anything.
    """

    def __init__(self, message: str, error_code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.error_code = error_code or type(self).error_code
        self.status = status

    def __reduce__(self) -> tuple[type["RestException"], tuple[str, str, int | None]]:
        # Exceptions travel between processes by pickle, which by default would lose the code and the status.
        return type(self), (self.message, self.error_code, self.status)


class InvalidParameter(RestException):
    """A value that breaks a rule; the message says which."""

    error_code = "INVALID_PARAMETER_VALUE"


class NotFound(RestException):
    """No such experiment, run, tag or address."""

    error_code = "RESOURCE_DOES_NOT_EXIST"


class AlreadyExists(RestException):
    """The name is taken, possibly by a deleted experiment."""

    error_code = "RESOURCE_ALREADY_EXISTS"


class InvalidState(RestException):
    """The operation does not fit the present state, such as starting a run while another is active."""

    error_code = "INVALID_STATE"


class Unauthenticated(RestException):
    """The server wants credentials, or does not accept the ones it was given."""

    error_code = "UNAUTHENTICATED"


class PermissionDenied(RestException):
    """The credentials are good, but do not permit this."""

    error_code = "PERMISSION_DENIED"


class Unavailable(RestException):
    """The server is overloaded or down for the moment. Trying again later may help."""

    error_code = "TEMPORARILY_UNAVAILABLE"


_BY_CODE: dict[str, type[RestException]] = {
    "INVALID_PARAMETER_VALUE": InvalidParameter,
    "BAD_REQUEST": InvalidParameter,
    "RESOURCE_DOES_NOT_EXIST": NotFound,
    "NOT_FOUND": NotFound,
    "ENDPOINT_NOT_FOUND": NotFound,
    "RESOURCE_ALREADY_EXISTS": AlreadyExists,
    "ALREADY_EXISTS": AlreadyExists,
    "INVALID_STATE": InvalidState,
    "UNAUTHENTICATED": Unauthenticated,
    "CUSTOMER_UNAUTHORIZED": Unauthenticated,
    "PERMISSION_DENIED": PermissionDenied,
    "TEMPORARILY_UNAVAILABLE": Unavailable,
    "RESOURCE_EXHAUSTED": Unavailable,
    "REQUEST_LIMIT_EXCEEDED": Unavailable,
}

_BY_STATUS: dict[int, type[RestException]] = {
    400: InvalidParameter,
    401: Unauthenticated,
    403: PermissionDenied,
    404: NotFound,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def refusal(message: str, error_code: str | None, status: int) -> RestException:
    """The exception for an error answer: by MLflow's error code, else by the HTTP status."""
    kind = _BY_CODE.get(error_code or "") or _BY_STATUS.get(status, RestException)
    return kind(message, error_code, status)
