"""The client alone: what importing it brings in, and that its public names are all there."""

import json
import os
import subprocess
import sys

import minleaf

ALLOWED = {"minleaf", "httpx", "httpcore", "h11", "anyio", "certifi", "idna", "sniffio", "typing_extensions"}


def modules_after(statement: str) -> set[str]:
    code = f"import sys, json\nbefore = set(sys.modules)\n{statement}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ)
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_importing_brings_only_httpx_and_the_standard_library() -> None:
    foreign = modules_after("import minleaf") - set(sys.stdlib_module_names)
    # What httpx takes along when it is installed, such as h2 or a decompressor, is httpx's own affair.
    assert foreign - modules_after("import httpx") <= ALLOWED
    assert "minleaf_server" not in foreign
    assert "numpy" not in foreign
    assert "pandas" not in foreign


def test_every_public_name_is_there() -> None:
    assert sorted(minleaf.__all__) == minleaf.__all__
    for name in minleaf.__all__:
        assert getattr(minleaf, name) is not None
    assert minleaf.__version__[0].isdigit()
