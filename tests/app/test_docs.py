"""The page at /docs."""

from html.parser import HTMLParser

from fastapi import FastAPI
from pydantic import BaseModel, Field

from minleaf_server.app.docs import page_of, render


class Inner(BaseModel):
    """Something inside."""

    number: int = Field(description="How <many>")


class Outer(BaseModel):
    name: str
    inner: list[Inner] = []
    other: Inner | None = None


async def make(run_id: str, body: Outer, limit: int = 5) -> Inner:
    """Make <one>.

    With two lines.
    """
    return Inner(number=1)


def described() -> dict[str, object]:
    app = FastAPI(title="Test", version="1.2")
    app.add_api_route("/make/{run_id}", make, methods=["POST"], tags=["Makers"], summary="Make one")
    return app.openapi()


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
        ("422", "HTTPValidationError"),
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
