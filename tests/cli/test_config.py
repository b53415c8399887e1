"""The table of settings: where a value comes from, what is refused, and that the documentation has every row."""

from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from minleaf_server.config import TABLE, Settings, load
from minleaf_server.errors import SetupError

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_defaults_are_filled_in() -> None:
    settings = load({}, {})
    assert settings.host == "127.0.0.1"
    assert settings.port == 5000
    assert settings.backend_store_uri == "sqlite:///minleaf-data/minleaf.db"
    assert settings.artifacts_destination == "minleaf-data/artifacts"
    assert settings.insecure_no_auth is False
    assert settings.max_body_bytes == 20 * 1024 * 1024


def test_database_follows_the_data_folder() -> None:
    assert load({"data": "/srv/ml"}, {}).backend_store_uri == "sqlite:////srv/ml/minleaf.db"


def test_rank_is_flag_then_own_variable_then_mlflow_then_default() -> None:
    everywhere = {"MINLEAF_PORT": "2", "MLFLOW_PORT": "3"}
    assert load({"port": "1"}, everywhere).port == 1
    assert load({}, everywhere).port == 2
    assert load({}, {"MLFLOW_PORT": "3"}).port == 3
    assert load({}, {"MINLEAF_PORT": "", "MLFLOW_PORT": "3"}).port == 3


def test_every_variable_of_mlflow_is_read() -> None:
    environ = {
        "MLFLOW_BACKEND_STORE_URI": "sqlite:///a.db",
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": "s3://bucket",
        "MLFLOW_ARTIFACTS_DESTINATION": "s3://other",
        "MLFLOW_SERVE_ARTIFACTS": "false",
        "MLFLOW_ARTIFACTS_ONLY": "1",
        "MLFLOW_HOST": "::1",
        "MLFLOW_PORT": "8080",
        "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX": "^s3:",
        "MLFLOW_STATIC_PREFIX": "/tracking",
        "MLFLOW_WORKERS": "4",
        "MLFLOW_SERVER_ALLOWED_HOSTS": "a.example, b.example:81",
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": "https://a.example,https://b.example",
        "MLFLOW_SERVER_X_FRAME_OPTIONS": "deny",
        "MLFLOW_AUTH_ADMIN_USERNAME": "root",
        "MLFLOW_AUTH_ADMIN_PASSWORD": "a long password",
        "MLFLOW_AUTH_CONFIG_PATH": "auth.ini",
        "MLFLOW_SERVER_GRAPHQL_MAX_ROOT_FIELDS": "20",
        "MLFLOW_SERVER_GRAPHQL_MAX_ALIASES": "30",
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "10.0.0.0/8",
        "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": "A" * 43 + "=",
        "MLFLOW_WEBHOOK_REQUEST_TIMEOUT": "10",
        "MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES": "7",
        "MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS": "2",
        "MLFLOW_WEBHOOK_CACHE_TTL": "0",
    }
    settings = load({}, environ)
    assert settings.backend_store_uri == "sqlite:///a.db"
    assert settings.default_artifact_root == "s3://bucket"
    assert load({"default_artifact_root": "runs"}, {}).default_artifact_root == str(Path.cwd() / "runs")
    assert settings.artifacts_destination == "s3://other"
    assert (settings.host, settings.port, settings.static_prefix) == ("::1", 8080, "/tracking")
    assert settings.model_version_sources == "^s3:"
    assert settings.workers == 4
    assert (settings.serve_artifacts, settings.artifacts_only) == (False, True)
    assert settings.allowed_hosts == ("a.example", "b.example:81")
    assert settings.cors_allowed_origins == ("https://a.example", "https://b.example")
    assert settings.x_frame_options == "DENY"
    assert (settings.admin_username, settings.admin_password) == ("root", "a long password")
    assert settings.auth_config_path == "auth.ini"
    assert (settings.graphql_max_root_fields, settings.graphql_max_aliases) == (20, 30)
    assert (settings.webhook_schemes, settings.webhook_private_networks) == (("http",), (ip_network("10.0.0.0/8"),))
    assert settings.webhook_secret_key == ("A" * 43 + "=",)
    assert (settings.webhook_timeout, settings.webhook_retries) == (10, 7)
    assert (settings.webhook_threads, settings.webhook_cache_seconds) == (2, 0)
    assert {row.mlflow for row in TABLE if row.mlflow} == environ.keys()


def test_secret_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "uri"
    file.write_text("postgresql://u:p@h/d\n")
    environ = {"MINLEAF_BACKEND_STORE_URI_FILE": str(file), "MLFLOW_BACKEND_STORE_URI": "sqlite:///a.db"}
    assert load({}, environ).backend_store_uri == "postgresql+psycopg://u:p@h/d"
    assert load({"backend_store_uri": "sqlite:///b.db"}, environ).backend_store_uri == "sqlite:///b.db"


@pytest.mark.parametrize(
    ("content", "extra", "message"),
    [
        (None, {}, "cannot be read: No such file"),
        (b"", {}, "which is empty"),
        (b"\xff\xfe", {}, "not UTF-8"),
        (b"sqlite:///a.db", {"MINLEAF_BACKEND_STORE_URI": "sqlite:///b.db"}, "both set"),
    ],
)
def test_wrong_secret_file(tmp_path: Path, content: bytes | None, extra: dict[str, str], message: str) -> None:
    file = tmp_path / "uri"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SetupError, match=message):
        load({}, {"MINLEAF_BACKEND_STORE_URI_FILE": str(file), **extra})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("port", "65536"),
        ("port", "-1"),
        ("port", "80a"),
        ("port", "٣"),
        ("workers", "0"),
        ("workers", "1.5"),
        ("model_version_sources", "^(s3"),
        ("static_prefix", "prefix"),
        ("static_prefix", "/prefix/"),
        ("static_prefix", "/a b"),
        ("static_prefix", '/"><script>'),
        ("log_level", "loud"),
        ("insecure_no_auth", "maybe"),
        ("host", ""),
        ("data", ""),
    ],
)
def test_wrong_value_names_its_source(name: str, text: str) -> None:
    with pytest.raises(SetupError) as flag:
        load({name: text}, {})
    assert "--" + name.replace("_", "-") in str(flag.value)
    if text:
        with pytest.raises(SetupError) as variable:
            load({}, {f"MINLEAF_{name.upper()}": text})
        assert f"MINLEAF_{name.upper()}" in str(variable.value)


def test_unknown_setting_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        load({"prot": "1"}, {})


def test_table_and_dataclass_agree() -> None:
    assert [row.name for row in TABLE] == [row.name for row in fields(Settings)]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: str(row.name))
def test_documentation_has_every_setting(row: object) -> None:
    setting = next(each for each in TABLE if each is row)
    lines = [line for line in DOCS.read_text().splitlines() if line.startswith(f"| `{setting.flag}`")]
    assert len(lines) == 1
    assert f"`{setting.variable}`" in lines[0]
    assert f"| `{setting.default}` |" in lines[0]
    assert setting.help in lines[0]
    assert not setting.mlflow or f"`{setting.mlflow}`" in lines[0]
