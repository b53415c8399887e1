"""Rules of style that a machine can hold."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = ("client/minleaf", "server/minleaf_server")
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60

# What would let data become code, or a page's text become markup.
DANGEROUS = re.compile(
    r"\b(eval|exec)\(|import pickle|pickle\.load|yaml\.load\b|shell=True|\|\s*safe\b|Markup\(|autoescape false"
)


def committed(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def python_files() -> list[Path]:
    return [path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py"))]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_one_thing(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= MODULE_LINES_MAX, "split it by meaning"
    for function in functions(path):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= FUNCTION_LINES_MAX, f"{function.name} does not fit on a screen"


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_public_functions_say_what_they_do(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a module says in a line what it is"
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        is_overload = any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in node.decorator_list)
        assert is_overload or ast.get_docstring(node), f"{node.name} has no docstring"


def test_nothing_turns_data_into_code() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in committed("client", "server", "templates", "migrations", "hatch_build.py")
        if DANGEROUS.search(path.read_text())
    }
    assert not found


def test_plain_sentences() -> None:
    for path in committed("*.py", "*.md", "*.html", "*.js", "*.mjs", "*.css", "*.toml", "*.yml", "Makefile"):
        assert "\N{EM DASH}" not in path.read_text(), path
