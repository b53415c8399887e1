"""Reading a page as a browser without JavaScript would: links, rows, cells and texts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "input", "br", "img", "path", "rect", "hr"}


@dataclass
class Node:
    """An element, its attributes and what is in it."""

    tag: str
    attributes: dict[str, str]
    children: "list[Node | str]" = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text in it, blanks folded."""
        return " ".join(self._raw().split())

    def _raw(self) -> str:
        return "".join(child if isinstance(child, str) else child._raw() for child in self.children)

    def all(self, tag: str = "", **attributes: str) -> "Iterator[Node]":
        """Every element below with this tag and these attributes; `class_` asks for one of the classes."""
        wanted_class = attributes.get("class_")
        rest = {name.replace("_", "-"): value for name, value in attributes.items() if name != "class_"}
        for child in self.children:
            if isinstance(child, str):
                continue
            has_class = wanted_class is None or wanted_class in child.attributes.get("class", "").split()
            if (not tag or child.tag == tag) and has_class and rest.items() <= child.attributes.items():
                yield child
            yield from child.all(tag, **attributes)

    def one(self, tag: str = "", **attributes: str) -> "Node":
        """The only such element."""
        (found,) = self.all(tag, **attributes)
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"<{tag}> repeats an attribute"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(html: str) -> Node:
    """The tree of a page. Fails where elements do not nest, or an attribute stands twice."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [reader.root], f"<{reader.open[-1].tag}> is not closed"
    return reader.root


def table(page: Node, class_: str = "grid") -> list[dict[str, str]]:
    """The rows of the page's first such table, each by the titles of its columns."""
    grid = next(page.all("table", class_=class_))
    head = list(grid.one("thead").all("tr"))[-1]
    titles = [cell.text for cell in head.children if isinstance(cell, Node)]
    rows = []
    for row in grid.one("tbody").all("tr"):
        cells = [cell.text for cell in row.children if isinstance(cell, Node)]
        rows.append({title: cell for title, cell in zip(titles, cells, strict=True) if title})
    return rows
