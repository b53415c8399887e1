"""Rules that every template and style sheet keeps."""

import re
from pathlib import Path

import pytest
from jinja2 import nodes

from minleaf_server.resources import folder
from minleaf_server.ui.page import environment

TEMPLATES = sorted(folder("templates").glob("*.html"), key=lambda path: path.name)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_nothing_in_a_template_is_code(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\son[a-z]+\s*=", text), "an event attribute is inline script"
    assert not re.search(r"\sstyle\s*=", text), "the security policy refuses style attributes"
    assert "<style" not in text
    assert "hx-on" not in text
    for script in re.findall(r"<script[^>]*>", text):
        assert "src=" in script or 'type="application/json"' in script
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text), "nothing is loaded from elsewhere"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_values_are_escaped_and_quoted(path: Path) -> None:
    tree = environment().parse(path.read_text())
    used = {found.name for found in tree.find_all(nodes.Filter)}
    assert used <= {"length", "tojson", "forceescape"}, "a new filter needs a thought about escaping"
    assert not list(tree.find_all(nodes.ScopedEvalContextModifier)), "autoescape is never switched off"
    assert not re.search(r"=\{\{", path.read_text()), "an attribute without quotes can be broken out of"


def test_pages_see_only_what_they_are_given() -> None:
    for path in TEMPLATES:
        if not path.name.startswith("_"):
            names = {n.name for n in environment().parse(path.read_text()).find_all(nodes.Name) if n.ctx == "load"}
            assert names & {"request", "store", "config"} == set(), path.name


def test_the_style_sheet_loads_nothing_and_knows_its_properties() -> None:
    static = folder("static")
    css = (static / "app.css").read_text()
    assert "@import" not in css
    assert "url(" not in css
    defined = set(re.findall(r"(--[\w-]+)\s*:", css + (static / "charts.css").read_text()))
    assert set(re.findall(r"var\((--[\w-]+)", css)) <= defined
