"""What a server imports before its first answer: each of these would make every start slower."""

import re
import subprocess
from pathlib import Path

import httpx

from minleaf_server.db.store import Store
from tests.cli.conftest import COMMAND, environment

LATER = {
    "alembic",  # only where a migration is due
    "cryptography",
    "fastapi",
    "graphql",
    "httpcore",
    "httpx",
    "jinja2",
    "obstore",
    "psycopg",  # only where the store is on Postgres
    "pydantic",
}


def test_a_start_imports_nothing_that_its_first_answer_does_not_need(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/minleaf.db"
    Store.open(uri).close()
    command = [*COMMAND, "server", "--port", "0", "--backend-store-uri", uri, "--data", str(tmp_path)]
    told = tmp_path / "imports.txt"
    with told.open("w") as errors:
        variables = environment(PYTHONPROFILEIMPORTTIME="1")
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=variables)
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found
        answer = httpx.get(f"{found[0]}/api/2.0/mlflow/experiments/get", params={"experiment_id": "0"})
        assert answer.status_code == 200
        server.terminate()
        server.wait(60)
        server.stdout.close()
    imported = set(re.findall(r"\| +(\S+)$", told.read_text(), re.MULTILINE))
    assert "minleaf_server.app.assembly" in imported
    assert imported & LATER == set()
