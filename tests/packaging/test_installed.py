"""The wheel in clean environments: the client alone, and the server with its pages."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from minleaf_server import resources
from tests.packaging.conftest import ROOT, Environment, clean_variables

HINT = 'pip install "minleaf[server]"'
LOG_A_RUN = """
import sys
import minleaf
minleaf.set_tracking_uri(sys.argv[1])
minleaf.set_experiment("from the wheel")
with minleaf.start_run() as run:
    minleaf.log_param("depth", 3)
    minleaf.log_metric("acc", 0.5)
assert minleaf.__file__.startswith(sys.prefix), minleaf.__file__
print(run.info.run_id)
"""


@pytest.fixture
def served(with_server: Environment, tmp_path: Path) -> Iterator[str]:
    """The address of a server that runs from the wheel."""
    command = [str(with_server.program("minleaf")), "ui", "--port", "0"]
    process = subprocess.Popen(command, cwd=tmp_path, env=clean_variables(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        match = re.search(r"http://\S+", process.stdout.readline())
        assert match
        yield match[0]
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.parametrize("command", [("minleaf",), ("minleaf", "ui"), ("python", "-m", "minleaf_server")])
def test_command_without_the_server_gives_the_hint(
    client_only: Environment, tmp_path: Path, command: tuple[str, ...]
) -> None:
    answer = client_only.run(*command, cwd=tmp_path)
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert HINT in answer.stderr


def test_client_works_without_the_server(client_only: Environment, served: str, tmp_path: Path) -> None:
    absent = "import importlib.util as u; print([n for n in ('starlette', 'sqlalchemy', 'numpy') if u.find_spec(n)])"
    assert client_only.run("python", "-c", absent, cwd=tmp_path).stdout == "[]\n"
    answer = client_only.run("python", "-c", LOG_A_RUN, served, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    found = httpx.get(f"{served}/api/2.0/mlflow/runs/get", params={"run_id": answer.stdout.strip()}).json()
    assert found["run"]["data"]["params"] == [{"key": "depth", "value": "3"}]


def test_server_serves_its_pages(with_server: Environment, served: str, tmp_path: Path) -> None:
    answer = with_server.run("python", "-c", LOG_A_RUN, served, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    home = httpx.get(f"{served}/")
    assert home.status_code == 200
    assert "from the wheel" in home.text
    run = httpx.get(f"{served}/runs/{answer.stdout.strip()}")
    assert run.status_code == 200
    assert "depth" in run.text
    assert httpx.get(f"{served}/docs").status_code == 200


def test_every_file_that_a_page_asks_for_is_there(served: str) -> None:
    page = httpx.get(f"{served}/")
    links = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    assert any("app.js" in link for link in links)
    assert any("app.css" in link for link in links)
    for link in links:
        answer = httpx.get(f"{served}{link}")
        assert answer.status_code == 200, link
        assert answer.content


def test_folders_are_found_in_the_wheel_and_in_the_checkout(with_server: Environment, tmp_path: Path) -> None:
    program = (
        "from minleaf_server import resources as r; "
        "print(*[r.folder(n) for n in ('templates', 'static', 'migrations')], sep='\\n')"
    )
    installed = with_server.run("python", "-c", program, cwd=tmp_path).stdout.splitlines()
    assert len(installed) == 3
    assert all("/site-packages/minleaf_server/_data/" in line for line in installed)
    assert [resources.folder(name) for name in ("templates", "static", "migrations")] == [
        ROOT / "templates",
        ROOT / "static",
        ROOT / "migrations",
    ]


def test_versions_agree(with_server: Environment, tmp_path: Path) -> None:
    assert with_server.run("minleaf", "--version", cwd=tmp_path).stdout == "minleaf 0.1.0\n"
    program = "import minleaf; print(minleaf.__version__)"
    assert with_server.run("python", "-c", program, cwd=tmp_path).stdout == "0.1.0\n"


def test_postgres_without_its_driver_says_what_to_install(with_server: Environment, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from minleaf_server.__main__ import main\n"
        "sys.exit(main(['ui', '--port', '0', '--backend-store-uri', 'postgresql://user@127.0.0.1/name']))"
    )
    answer = with_server.run("python", "-c", program, cwd=tmp_path)
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert 'pip install "minleaf[server,postgres]"' in answer.stderr


def test_mistake_in_an_import_is_not_taken_for_a_missing_server(with_server: Environment, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['minleaf_server.cli'] = None\n"
        "from minleaf_server.__main__ import main\n"
        "sys.exit(main(['ui']))"
    )
    answer = with_server.run("python", "-c", program, cwd=tmp_path)
    assert answer.returncode == 1
    assert "ModuleNotFoundError" in answer.stderr
    assert HINT not in answer.stderr
