"""The client alone: what importing it brings in, and that its public names are all there."""

import json
import os
import subprocess
import sys

import minleaf

ALLOWED = {"minleaf", "httpx", "httpcore", "h11", "anyio", "certifi", "idna", "sniffio", "typing_extensions"}


SCRIPT = """
import json, sys
before = set(sys.modules)
import {module}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def modules_of(module: str) -> set[str]:
    """The top packages that importing `module` in a fresh process brings in."""
    code = SCRIPT.format(module=module)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ)
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_importing_brings_only_httpx_and_the_standard_library() -> None:
    foreign = modules_of("minleaf") - set(sys.stdlib_module_names)
    # What httpx takes along when it is installed, such as h2 or a decompressor, is httpx's own affair.
    assert foreign - modules_of("httpx") <= ALLOWED
    assert "minleaf_server" not in foreign
    assert "numpy" not in foreign
    assert "pandas" not in foreign


def test_every_public_name_is_there() -> None:
    assert sorted(minleaf.__all__) == minleaf.__all__
    for name in minleaf.__all__:
        assert getattr(minleaf, name) is not None
    assert minleaf.__version__[0].isdigit()
