"""The build of static/vendor: when it is due, and where node comes from."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import hatch_build
from tests.packaging.conftest import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what static/vendor is built from, and of static/vendor itself, which fits it."""
    for name in hatch_build.RECIPE:
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "static", tmp_path / "static")
    (tmp_path / "static" / "vendor").mkdir(exist_ok=True)
    stamp = tmp_path / "static" / "vendor" / hatch_build.STAMP
    stamp.write_text(hatch_build.Bundle(tmp_path).digest())
    return tmp_path


@pytest.fixture
def no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH on which there is a shell and no node."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("sh", "env"):
        found = shutil.which(program)
        assert found
        (folder / program).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_nothing_to_build_where_nothing_changed(checkout: Path) -> None:
    assert hatch_build.Bundle(checkout).is_fresh()


@pytest.mark.parametrize("name", ["package.json", "package-lock.json", ".npmrc", "build.mjs", "static/js/main.js"])
def test_a_changed_input_is_built(checkout: Path, name: str) -> None:
    with (checkout / name).open("a") as file:
        file.write("\n")
    assert not hatch_build.Bundle(checkout).is_fresh()


def test_a_new_script_or_a_missing_bundle_is_built(checkout: Path) -> None:
    (checkout / "static" / "js" / "new.js").touch()
    assert not hatch_build.Bundle(checkout).is_fresh()
    (checkout / "static" / "js" / "new.js").unlink()
    assert hatch_build.Bundle(checkout).is_fresh()
    shutil.rmtree(checkout / "static" / "vendor")
    assert not hatch_build.Bundle(checkout).is_fresh()


def test_old_node_does_not_do(no_node: Path) -> None:
    assert not hatch_build.node_on_path()
    for name, answer in (("npm", "11.0.0"), ("node", "v16.20.2")):
        (no_node / name).write_text(f"#!/bin/sh\necho {answer}\n")
        (no_node / name).chmod(0o755)
    assert not hatch_build.node_on_path()
    (no_node / "node").write_text("#!/bin/sh\necho v22.1.0\n")
    assert hatch_build.node_on_path()


def test_failing_build_says_what_failed(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "package-lock.json").write_text("{}")
    monkeypatch.setenv("npm_config_loglevel", "silent")
    with pytest.raises(SystemExit, match=r"`npm ci` failed with exit code"):
        hatch_build.Bundle(checkout).build()


def test_wheel_is_built_with_node_from_pypi_where_there_is_none(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.glob("minleaf-*")
    shutil.rmtree(source / "static" / "vendor")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path / "out"), str(source)]
    subprocess.run(command, env={**os.environ, "PATH": str(tools)}, check=True)
    (built,) = (tmp_path / "out").glob("*.whl")
    with zipfile.ZipFile(built) as mine, zipfile.ZipFile(wheel) as other:
        name = "minleaf_server/_data/static/vendor/app.js"
        assert mine.read(name) == other.read(name)
