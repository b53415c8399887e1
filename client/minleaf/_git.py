"""The commit, branch and remote of the code that runs, asked of the `git` command."""

import os
import subprocess
import time
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

# For all questions together. A repository on a slow network disk costs a run its git tags, not its time.
TIME_LIMIT = 2.0


@lru_cache(maxsize=64)
def git_tags(path: str) -> dict[str, str]:
    """MLflow's git tags for the script or folder at `path`, or none. Never raises and takes at most TIME_LIMIT seconds.

    As with MLflow a file that git ignores has no commit, so a script of an installed package does not get that of the
    project around its environment. Remembered for the life of the process.
    """
    folder = path if os.path.isdir(path) else os.path.dirname(os.path.abspath(path))
    if not os.path.exists(path):
        return {}
    ask = _Questions(folder)
    ignored, _ = ask("check-ignore", "--quiet", "--", os.path.abspath(path))
    commit = ask("rev-parse", "--verify", "HEAD")[1] if ignored == 1 else ""
    if not commit:
        return {}
    tags = {"mlflow.source.git.commit": commit}
    # Fails, and so leaves the tag out, where the head is detached.
    if branch := ask("symbolic-ref", "--short", "HEAD")[1]:
        tags["mlflow.source.git.branch"] = branch
    if url := ask("remote", "get-url", ask("remote")[1].partition("\n")[0] or "origin")[1]:
        tags["mlflow.source.git.repoURL"] = without_credentials(url)
    return tags


class _Questions:
    """Runs git in one folder under one deadline: returns the exit code, -1 where git did not run, and the output."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.deadline = time.monotonic() + TIME_LIMIT

    def __call__(self, *arguments: str) -> tuple[int, str]:
        left = self.deadline - time.monotonic()
        if left <= 0:
            return -1, ""
        try:
            done = subprocess.run(
                ["git", "-C", self.folder, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=left,
                check=False,
                env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"},
            )
        except (OSError, ValueError, subprocess.SubprocessError):
            return -1, ""
        output = done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""
        return done.returncode, output


def without_credentials(url: str) -> str:
    """The address of a remote without user name and token, which do not belong into a tag that others read."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if not parts.scheme or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
