"""How an S3-compatible store is reached: the variables and files that Amazon's own tools read, and MLflow's."""

import configparser
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SIGNED_ELSEWHERE = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_KEYS = {
    "access_key_id": "aws_access_key_id",
    "secret_access_key": "aws_secret_access_key",
    "token": "aws_session_token",
}


@dataclass(frozen=True, slots=True)
class S3Settings:
    """`endpoint` is "" for Amazon. `keys` is empty where the machine gives the credentials (a role)."""

    endpoint: str
    region: str
    keys: dict[str, str]
    verify: bool

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "S3Settings":
        """The settings as they are now. A variable wins over a file, MLflow's endpoint over Amazon's."""
        names = ("MLFLOW_S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
        endpoint = next((environ[name] for name in names if environ.get(name)), "")
        region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or _region(environ) or "us-east-1"
        verify = environ.get("MLFLOW_S3_IGNORE_TLS", "").lower() not in ("true", "1")
        return cls(endpoint.rstrip("/"), region, _keys(environ), verify)


def _keys(environ: Mapping[str, str]) -> dict[str, str]:
    if environ.get("AWS_ACCESS_KEY_ID"):
        found = {name: environ.get(key.upper(), "") for name, key in _KEYS.items()}
    elif any(environ.get(name) for name in _SIGNED_ELSEWHERE):
        return {}
    else:
        path = environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"
        profile = _section(path, environ.get("AWS_PROFILE") or "default")
        found = {name: profile.get(key, "") for name, key in _KEYS.items()}
    return {name: text for name, text in found.items() if text} if found["access_key_id"] else {}


def _region(environ: Mapping[str, str]) -> str:
    profile = environ.get("AWS_PROFILE") or "default"
    # In this file, unlike the other, the names of profiles have a word before them.
    name = profile if profile == "default" else f"profile {profile}"
    return _section(environ.get("AWS_CONFIG_FILE") or "~/.aws/config", name).get("region", "")


def _section(path: str, name: str) -> Mapping[str, str]:
    parser = configparser.RawConfigParser(default_section="")
    try:
        parser.read(Path(path).expanduser(), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, RuntimeError):
        return {}
    return dict(parser.items(name)) if parser.has_section(name) else {}
