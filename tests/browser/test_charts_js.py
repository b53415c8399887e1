"""The pure parts of the charts' script have tests of their own, which node runs."""

import re
import subprocess
from pathlib import Path

from hatch_build import npm_command

ROOT = Path(__file__).parents[2]


def test_the_javascript_tests_pass() -> None:
    npm, environment = npm_command()
    done = subprocess.run([*npm, "test"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^\S+ pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) >= 20
