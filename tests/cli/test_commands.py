"""What the command line says: help, versions, and one clear line with exit code 2 for what keeps it from starting."""

import asyncio
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from minleaf_server.cli.mlflow_flags import FLAGS
from minleaf_server.config import TABLE
from minleaf_server.db import migrate
from minleaf_server.db.store import Store
from minleaf_server.entities import Point, PointColumns
from minleaf_server.tracking import runs
from tests.cli.conftest import Run


def refusal(answer: "subprocess.CompletedProcess[str]") -> str:
    """The one line on stderr of a command that ended with code 2."""
    assert answer.returncode == 2, answer
    assert answer.stdout == ""
    assert answer.stderr.startswith("minleaf: ")
    assert answer.stderr.count("\n") == 1, answer.stderr
    return answer.stderr


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


@pytest.fixture
def closed_port() -> Iterator[str]:
    # Bound and not listening: a connection is refused, and nobody else can take it meanwhile.
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        yield str(other.getsockname()[1])


def test_version(run: Run) -> None:
    answer = run("--version")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "minleaf 0.1.0\n", "")


@pytest.mark.parametrize("command", ["ui", "server"])
def test_help_explains_every_setting(run: Run, command: str) -> None:
    for flag in ("--help", "-h"):
        answer = run(command, flag)
        assert answer.returncode == 0
        assert answer.stdout.startswith(f"Usage: minleaf {command} [FLAGS]\n")
        for row in TABLE:
            assert row.flag in answer.stdout
            assert f"[{row.variable}]" in answer.stdout
    assert max(map(len, answer.stdout.splitlines())) <= 112


def test_help_of_the_rest(run: Run) -> None:
    assert "minleaf ui" in run("--help").stdout
    assert run("db", "--help").stdout.startswith("Usage: minleaf db ACTION\n")
    assert run("db", "check", "--help").stdout.startswith("Usage: minleaf db check [FLAGS]\n")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["COMMAND", "minleaf --help"]),
        (["sing"], ["'sing'", "minleaf --help"]),
        (["ui", "--prot", "1"], ["--prot"]),
        (["ui", "--por", "5001"], ["--por"]),
        (["ui", "--port", "x"], ["--port 'x'", "whole number"]),
        (["ui", "--port"], ["--port", "minleaf ui --help"]),
        (["ui", "--host", "no.such.host.invalid"], ["no.such.host.invalid"]),
        (["ui", "--host", "192.0.2.1", "--insecure-no-auth"], ["not an address of this machine"]),
        (["server", "--app-name", "other"], ["--app-name", "basic-auth", "--auth"]),
        (["server", "--auth", "--default-permission", "all"], ["--default-permission", "READ"]),
        (["server", "--auth", "--auth-config-path", "none.ini"], ["--auth-config-path", "No such file"]),
        (["server", "--backend-store-uri", "mysql://u:secret@h/d"], ["mysql is not supported", "sqlite:///"]),
        (["server", "--backend-store-uri", "./mlruns"], ["folder of files"]),
        (["ui", "--port", "0", "--allowed-hosts", "*"], ["--allowed-hosts"]),
    ],
)
def test_wrong_arguments(run: Run, arguments: list[str], parts: list[str]) -> None:
    line = refusal(run(*arguments))
    for part in parts:
        assert part in line
    assert "secret" not in line


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_open_address_without_login(run: Run, host: str, tmp_path: Path) -> None:
    line = refusal(run("ui", "--host", host))
    assert "--insecure-no-auth" in line
    assert "127.0.0.1" in line
    assert list(tmp_path.iterdir()) == []


def test_taken_port(run: Run, taken_port: str, tmp_path: Path) -> None:
    line = refusal(run("ui", "--port", taken_port))
    assert f"Port {taken_port} is taken" in line
    assert list(tmp_path.iterdir()) == []


def test_data_folder_that_cannot_be_made(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be made" in refusal(run("ui", "--port", "0", "--data", "file"))
    assert "cannot be made" in refusal(run("ui", "--port", "0", "--data", "file/inside"))


def test_database_is_a_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.db").mkdir()
    assert "is a folder" in refusal(run("ui", "--port", "0", "--backend-store-uri", "sqlite:///x.db"))


def test_database_is_another_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"name,value\n" * 1000)
    assert "not a database" in refusal(run("ui", "--port", "0", "--backend-store-uri", "sqlite:///x.db"))


def test_points_are_compacted_by_hand(run: Run, database_uri: str) -> None:
    async def fill(store: Store) -> None:
        made = (await runs.create(store, 0)).info.id
        for step in range(80):
            await runs.log_batch(store, made, metrics=PointColumns.of([Point("m", 1.0, step, step)]))

    store = Store.open(database_uri)
    asyncio.run(fill(store))
    store.close()
    command = ("db", "compact", "--backend-store-uri", database_uri)
    assert run(*command).stdout == "The points of 1 run were compacted.\n"
    assert run(*command).stdout == "The points of 0 runs were compacted.\n"


@pytest.mark.parametrize("command", [("ui", "--port", "0"), ("db", "current"), ("db", "check"), ("db", "upgrade")])
def test_unreachable_postgres(run: Run, closed_port: str, command: tuple[str, ...]) -> None:
    uri = f"postgresql://user:topsecret@127.0.0.1:{closed_port}/name"
    line = refusal(run(*command, "--backend-store-uri", uri))
    assert "refused" in line
    assert "user:***@127.0.0.1" in line
    assert "topsecret" not in line


@pytest.mark.parametrize("command", [("ui", "--port", "0"), ("db", "check"), ("db", "upgrade")])
def test_newer_schema(run: Run, database_uri: str, command: tuple[str, ...]) -> None:
    assert run("db", "upgrade", "--backend-store-uri", database_uri).returncode == 0
    engine = create_engine(database_uri.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as conn:
        conn.execute(text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'"))
    engine.dispose()
    line = refusal(run(*command, "--backend-store-uri", database_uri))
    assert "'9999'" in line
    assert "newer" in line


def test_database_of_mlflow(run: Run, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as conn:
        for table in ("alembic_version", "experiments", "runs"):
            conn.execute(f"CREATE TABLE {table} (a)")
    line = refusal(run("server", "--port", "0", "--backend-store-uri", "sqlite:///mlflow.db"))
    assert "database of MLflow" in line


def test_db_commands(run: Run, database_uri: str, tmp_path: Path) -> None:
    flags = ("--backend-store-uri", database_uri)
    if database_uri.startswith("sqlite"):
        assert "There is no database" in refusal(run("db", "current", *flags))
        assert list(tmp_path.iterdir()) == []
    else:
        assert run("db", "current", *flags).stdout == "none\n"
        assert run("db", "check", *flags).returncode == 1
    assert run("db", "upgrade", *flags).stdout == f"The database has been brought to schema {migrate.HEAD}.\n"
    assert run("db", "upgrade", *flags).stdout == f"The database is up to date: schema {migrate.HEAD}.\n"
    assert run("db", "current", *flags).stdout == f"{migrate.HEAD}\n"
    assert run("db", "check", *flags).returncode == 0


@pytest.mark.parametrize("row", [row for row in FLAGS if row.refusal], ids=lambda row: row.flag)
def test_flag_that_stops_the_start(run: Run, row: object) -> None:
    flag = next(each for each in FLAGS if each is row)
    assert flag.flag in refusal(run("server", flag.flag, *(["another"] if flag.takes_value else [])))
    if flag.variable:
        assert flag.variable in refusal(run("server", **{flag.variable: "true"}))
