"""What is in the wheel and in the source archive."""

import re
import subprocess
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT

FOLDERS = ("templates", "static", "migrations")


@pytest.fixture(scope="session")
def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def committed(*folders: str) -> list[str]:
    """The files of these folders that belong to the project."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def test_wheel_has_every_file_of_both_packages(names: set[str]) -> None:
    files = [name.split("/", 1)[1] for name in committed("client", "server")]
    assert len(files) > 20
    assert [name for name in files if name not in names] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_wheel_has_every_data_file(names: set[str], folder: str) -> None:
    files = committed(folder)
    assert files
    assert [name for name in files if f"minleaf_server/_data/{name}" not in names] == []


def test_wheel_has_the_bundle_with_its_licence_notices(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert len(archive.read("minleaf_server/_data/static/vendor/app.js")) > 10_000
        notices = archive.read("minleaf_server/_data/static/vendor/LICENSES.txt").decode()
    for library in ("uplot", "htmx.org"):
        assert library in notices.lower()


def test_wheel_has_nothing_else(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names} == {"minleaf", "minleaf_server", "minleaf-0.1.0.dist-info"}
    assert {name.split("/")[2] for name in names if name.startswith("minleaf_server/_data/")} == set(FOLDERS)
    assert [name for name in names if re.search(r"__pycache__|\.pyc$|node_modules", name)] == []


def test_wheel_has_the_licence_and_types(names: set[str], metadata: Message) -> None:
    assert "minleaf-0.1.0.dist-info/licenses/LICENSE" in names
    assert {"minleaf/py.typed", "minleaf_server/py.typed"} <= names
    assert metadata["License-Expression"] == "Apache-2.0"


def test_client_needs_httpx_alone(metadata: Message) -> None:
    plain = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert [re.split(r"[<>=!~ ]", line)[0] for line in plain] == ["httpx"]
    assert {"server", "postgres"} <= set(metadata.get_all("Provides-Extra", []))


def test_source_archive_has_what_the_build_needs_and_nothing_installed(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    needed = {"pyproject.toml", "hatch_build.py", "package.json", "package-lock.json", ".npmrc", "build.mjs", "LICENSE"}
    assert needed <= names
    assert [name for name in committed("client", "server", *FOLDERS) if name not in names] == []
    assert "static/vendor/app.js" in names
    assert [name for name in names if re.search(r"node_modules|\.venv|__pycache__|\.db$|minleaf-data", name)] == []
