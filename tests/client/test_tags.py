"""The tags a run starts with, on real git repositories."""

import sys
from pathlib import Path

import pytest

from minleaf import _git, _tags
from tests.support.git import git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "train.py").write_text("1\n")
    (tmp_path / ".gitignore").write_text("ignored.py\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_commit_branch_and_remote(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://me:token@example.org/team/code.git")
    assert _git.git_tags(str(repository / "train.py")) == {
        "mlflow.source.git.commit": git(repository, "rev-parse", "HEAD"),
        "mlflow.source.git.branch": "trunk",
        "mlflow.source.git.repoURL": "https://example.org/team/code.git",
    }


def test_a_detached_head_has_no_branch(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach")
    assert list(_git.git_tags(str(repository / "train.py"))) == ["mlflow.source.git.commit"]


def test_an_ignored_script_has_no_commit(repository: Path) -> None:
    (repository / "ignored.py").write_text("1\n")
    assert _git.git_tags(str(repository / "ignored.py")) == {}


def test_no_repository_no_commit_no_file_no_tags(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("1\n")
    assert _git.git_tags(str(tmp_path / "plain.py")) == {}
    assert _git.git_tags(str(tmp_path / "absent.py")) == {}
    git(tmp_path, "init", "-q")
    (tmp_path / "new.py").write_text("1\n")
    assert _git.git_tags(str(tmp_path / "new.py")) == {}


def test_a_git_that_hangs_or_is_missing_costs_no_more_than_the_limit(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("bin")
    (folder / "git").write_text("#!/bin/sh\nexec /bin/sleep 600\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setattr(_git, "TIME_LIMIT", 0.2)
    monkeypatch.setenv("PATH", str(folder))
    assert _git.git_tags.__wrapped__(str(repository / "train.py")) == {}
    monkeypatch.setenv("PATH", str(folder / "nothing"))
    assert _git.git_tags.__wrapped__(str(repository / "train.py")) == {}


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://u:p@h.org/a.git", "https://h.org/a.git"),
        ("ssh://git@h.org:22/a.git", "ssh://h.org:22/a.git"),
        ("git@h.org:a/b.git", "git@h.org:a/b.git"),
        ("/srv/a.git", "/srv/a.git"),
        ("http://[bad", "http://[bad"),
    ],
)
def test_credentials_stay_out_of_the_remote(url: str, clean: str) -> None:
    assert _git.without_credentials(url) == clean


def test_user_and_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/train.py"])
    monkeypatch.setenv("LOGNAME", "ada")
    for name in ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID"):
        monkeypatch.delenv(name, raising=False)
    assert _tags.start_tags() == {
        "mlflow.user": "ada",
        "mlflow.source.name": "/somewhere/train.py",
        "mlflow.source.type": "LOCAL",
    }
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "countess")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("MLFLOW_RUN_CONTEXT", '{"mlflow.source.name": "pipeline", "n": 1}')
    monkeypatch.setattr(sys, "argv", [""])
    assert _tags.start_tags() == {
        "mlflow.user": "countess",
        "mlflow.source.name": "pipeline",
        "mlflow.source.type": "JOB",
        "n": "1",
    }


@pytest.mark.parametrize("text", ["{", "[1]", '"x"'])
def test_a_context_that_is_no_object_is_said(
    text: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MINLEAF_RUN_CONTEXT", text)
    assert "mlflow.source.type" in _tags.start_tags()
    assert "no JSON object" in caplog.text
