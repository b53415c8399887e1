"""Addresses: which databases are taken, that no password is shown, and where artifacts lie."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.errors import SetupError
from minleaf_server.uri import appended, database_uri, resolved, sqlite_path, without_password


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("sqlite:///a.db", "sqlite:///a.db"),
        ("sqlite:////abs/a.db", "sqlite:////abs/a.db"),
        ("sqlite+pysqlite:///a.db", "sqlite:///a.db"),
        ("SQLite:///a.db", "sqlite:///a.db"),
        ("postgresql://u:p@h:5432/d", "postgresql+psycopg://u:p@h:5432/d"),
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg2://u:p%40q@h/d", "postgresql+psycopg://u:p%40q@h/d"),
        ("postgresql+psycopg://u:@/d?host=/tmp/x", "postgresql+psycopg://u:@/d?host=/tmp/x"),
        (
            "postgresql://u:p@[::1]:5432/d?application_name=a@b",
            "postgresql+psycopg://u:p@[::1]:5432/d?application_name=a@b",
        ),
    ],
)
def test_taken(given: str, expected: str) -> None:
    assert database_uri(given) == expected


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("mysql://u:secret@h/d", "mysql is not supported"),
        ("mysql+pymysql://u:secret@h/d", "mysql is not supported"),
        ("mssql+pyodbc://u:secret@h/d", "mssql is not supported"),
        ("./mlruns", "a folder of files"),
        ("file:///srv/mlruns", "a folder of files"),
        ("sqlite:a.db", "three slashes"),
        ("sqlite://a.db", "three slashes"),
        ("sqlite://", "three slashes"),
        ("sqlite:///", "path of a file"),
        ("sqlite:///:memory:", "path of a file"),
        ("sqlite:///file:x?mode=memory&uri=true", "path of a file"),
        ("postgresql:u:secret@h/d", "cannot be read"),
        ("postgresql://u:secret@h:port/d", "cannot be read"),
        ("postgresql://u:sec@ret@h/d", "%40"),
        ("postgresql://u:sec/ret@h/d", "%2F"),
        ("http://u:secret@h/d", "no database that Minleaf knows"),
        ("u:secret@h/d", "no database that Minleaf knows"),
    ],
)
def test_refused_with_the_reason_and_an_example(uri: str, reason: str) -> None:
    with pytest.raises(SetupError) as error:
        database_uri(uri)
    assert reason in str(error.value)
    assert "sqlite:///minleaf.db" in str(error.value)
    if "//" in uri:
        assert "secret" not in str(error.value)


@given(st.text(st.characters(exclude_characters="*"), min_size=4))
def test_no_password_is_ever_shown(password: str) -> None:
    shown = without_password(f"postgresql://user:{password}@host:5432/name")
    assert shown == "postgresql://user:***@host:5432/name"


def test_password_among_the_options() -> None:
    assert without_password("postgresql://h/d?user=u&password=p&x=1") == "postgresql://h/d?user=u&password=***&x=1"


def test_sqlite_path() -> None:
    assert sqlite_path("sqlite:///a/b.db") == Path("a/b.db")
    assert sqlite_path("sqlite:////a/b.db?timeout=3") == Path("/a/b.db")
    assert sqlite_path("postgresql+psycopg://h/d") is None


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("runs", "/here/runs"),
        ("./a//b/", "/here/a/b"),
        ("#a?", "/here/#a?"),
        ("file:runs", "file:///here/runs"),
        ("/runs/", "/runs/"),
        ("file:///runs", "file:///runs"),
        ("s3://bucket", "s3://bucket"),
        ("mlflow-artifacts:/", "mlflow-artifacts:/"),
    ],
)
def test_a_relative_place_for_artifacts_lies_in_the_folder(location: str, expected: str) -> None:
    assert resolved(location, Path("/here")) == expected


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/runs/", "/runs/1/a"),
        ("/", "/1/a"),
        ("/#runs?", "/#runs?/1/a"),
        ("file:///runs?p=/x#f", "file:///runs/1/a?p=/x#f"),
        ("mlflow-artifacts:/", "mlflow-artifacts:/1/a"),
        ("s3://bucket?creds=c", "s3://bucket/1/a?creds=c"),
        ("db+driver://root:p@host/db#f", "db+driver://root:p@host/db/1/a#f"),
    ],
)
def test_names_are_appended_to_the_path_of_a_place(location: str, expected: str) -> None:
    assert appended(location, "1", "a") == expected
