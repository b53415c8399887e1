"""The file that MLFLOW_AUTH_CONFIG_PATH names: what it says of the administrator and of the default permission."""

import configparser
from dataclasses import replace

from minleaf_server.config import Settings
from minleaf_server.errors import SetupError
from minleaf_server.parsing import PERMISSIONS

_SECTION = "mlflow"
_BASIC = "mlflow.server.auth:authenticate_request_basic_auth"


def completed(settings: Settings, default_permission: str = "") -> Settings:
    """The settings with what the file says, where a flag or a variable does not say it. Without --auth they stay.

    `default_permission` is what holds where nothing says it. Users are kept in the server's own database, so the file's
    `database_uri` has no meaning. Raises SetupError for a file that cannot be read or that asks for another way to log
    in.
    """
    if not settings.auth:
        return settings
    if not settings.auth_config_path:
        return replace(settings, default_permission=settings.default_permission or default_permission)
    found = _read(settings.auth_config_path)
    if found.get("authorization_function", _BASIC) != _BASIC:
        raise SetupError(
            f"{settings.auth_config_path!r} names an authorization_function of its own. Minleaf runs none: remove the "
            "line, and users log in by name and password."
        )
    default = found.get("default_permission", "").upper()
    if default and default not in PERMISSIONS:
        raise SetupError(
            f"default_permission in {settings.auth_config_path!r} has to be one of {', '.join(PERMISSIONS)}."
        )
    return replace(
        settings,
        admin_username=settings.admin_username or found.get("admin_username", ""),
        admin_password=settings.admin_password or found.get("admin_password", ""),
        default_permission=settings.default_permission or default or default_permission,
    )


def _read(path: str) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)  # A password may hold a percent sign.
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
        return dict(parser[_SECTION])
    except OSError as error:
        raise SetupError(f"--auth-config-path {path!r} cannot be read: {error.strerror}.") from None
    except (configparser.Error, UnicodeDecodeError, KeyError):
        # The parser's own message repeats lines of the file, which may hold the password.
        raise SetupError(
            f"--auth-config-path {path!r} is not in the form of basic_auth.ini: a section [mlflow]."
        ) from None
