"""The page at /docs."""

from html.parser import HTMLParser

from minleaf_server.app.docs import page_of, render


def described() -> dict[str, object]:
    """A description with a field of every kind that a page has to show."""
    text = {"type": "string"}
    inner = {"$ref": "#/components/schemas/Inner"}
    operation = {
        "tags": ["Makers"],
        "summary": "Make one",
        "description": "Make <one>.\n\nWith two lines.",
        "parameters": [
            {"name": "run_id", "in": "path", "required": True, "schema": text},
            {"name": "limit", "in": "query", "required": False, "schema": {"type": "integer", "default": 5}},
        ],
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Outer"}}}},
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": inner}}},
            "422": {"description": "Wrong.", "content": {"application/json": {"schema": text}}},
        },
    }
    outer = {
        "name": text,
        "inner": {"type": "array", "items": inner, "default": []},
        "other": {"anyOf": [inner, {"type": "null"}]},
    }
    schemas = {
        "Inner": {
            "type": "object",
            "description": "Something inside.",
            "properties": {"number": {"type": "integer", "description": "How <many>"}},
            "required": ["number"],
        },
        "Outer": {"type": "object", "properties": outer, "required": ["name"]},
    }
    info = {"title": "Test", "version": "1.2"}
    paths = {"/make/{run_id}": {"post": operation}}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def test_every_part_of_an_operation_is_shown() -> None:
    page = page_of(described())
    [group] = page.groups
    [operation] = group.operations
    assert (group.title, operation.method, operation.path) == ("Makers", "POST", "/make/{run_id}")
    assert [(field.name, field.type, field.required) for field in operation.parameters] == [
        ("run_id", "string", True),
        ("limit", "integer", False),
    ]
    assert [(field.name, field.type, field.link) for field in operation.body] == [
        ("name", "string", ""),
        ("inner", "list of Inner", "schema-Inner"),
        ("other", "Inner or null", "schema-Inner"),
    ]
    assert [(answer.status, answer.type) for answer in operation.answers] == [
        ("200", "Inner"),
        ("422", "string"),
    ]
    inner = next(schema for schema in page.schemas if schema.name == "Inner")
    assert [(field.name, field.description) for field in inner.fields] == [("number", "How <many>")]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_the_page_is_escaped_and_loads_nothing_from_elsewhere() -> None:
    html = render(described(), "/prefix")
    assert "Make &lt;one&gt;." in html
    assert "How &lt;many&gt;" in html
    tags = Tags()
    tags.feed(html)
    assert {tag for tag, _ in tags.seen}.isdisjoint({"script", "style", "img", "iframe"})
    assert not [attributes for _, attributes in tags.seen if "style" in attributes]
    links = [attributes["href"] or "" for _, attributes in tags.seen if "href" in attributes]
    ids = {attributes["id"] for _, attributes in tags.seen if "id" in attributes}
    assert "/prefix/static/docs.css" in links
    assert all(link.startswith(("/prefix/", "data:,")) or link[1:] in ids for link in links), links
