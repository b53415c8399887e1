"""The wheel and the source archive, and clean environments into which the wheel is installed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Environment:
    """A virtual environment in `folder`."""

    folder: Path

    def run(self, program: str, *arguments: str, cwd: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run one of its programs, with nothing of the checkout on any path."""
        command = [str(self.program(program)), *arguments]
        environment = {**clean_variables(), **variables}
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def program(self, name: str) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin") / name


def clean_variables() -> Mapping[str, str]:
    """The variables of this process without those that Python, Minleaf or MLflow would read."""
    return {key: text for key, text in os.environ.items() if not key.startswith(("PYTHON", "MLFLOW_", "MINLEAF_"))}


def make_environment(folder: Path, *requirements: str) -> Environment:
    """Make a virtual environment with these packages; with uv where there is one, which is quicker."""
    environment = Environment(folder)
    python = str(environment.program("python"))
    uv = shutil.which("uv")
    if uv is not None and subprocess.run([uv, "--version"], capture_output=True, check=False).returncode == 0:
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *requirements], check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
    return environment


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one source archive and the one wheel that was built from it. MINLEAF_DIST names one that exists."""
    if given := os.environ.get("MINLEAF_DIST"):
        return Path(given)
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)], check=True)
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    (file,) = dist.glob("*.whl")
    return file


@pytest.fixture(scope="session")
def sdist(dist: Path) -> Path:
    (file,) = dist.glob("*.tar.gz")
    return file


@pytest.fixture(scope="session")
def client_only(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What `pip install minleaf` makes."""
    return make_environment(tmp_path_factory.mktemp("client") / "venv", str(wheel))


@pytest.fixture(scope="session")
def with_server(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What `pip install "minleaf[server,postgres]"` makes."""
    return make_environment(tmp_path_factory.mktemp("server") / "venv", f"{wheel}[server,postgres]")
