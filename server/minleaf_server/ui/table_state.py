"""What the runs table shows, as its URL says it. Reading a URL never fails: what is not understood is the default."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from minleaf_server.entities import ViewType

PAGE_SIZES = (25, 50, 100, 200)
PAGE_SIZE_DEFAULT = 100
BACK_TOKENS_MAX = 20

ATTRIBUTES = ("name", "status", "started", "duration", "user")
KINDS = ("params", "metrics", "tags")
VIEWS = {"active": ViewType.ACTIVE_ONLY, "deleted": ViewType.DELETED_ONLY, "all": ViewType.ALL}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: `kind` is one of KINDS, or "" for an attribute of the run."""

    kind: str
    name: str

    @property
    def id(self) -> str:
        """How a URL names the column: `metrics.loss`, `started`."""
        return f"{self.kind}.{self.name}" if self.kind else self.name


def column_of(text: str) -> Column | None:
    """The column that `text` names, or None."""
    if text in ATTRIBUTES:
        return Column("", text)
    kind, dot, name = text.partition(".")
    return Column(kind, name) if dot and name and kind in KINDS else None


BY_START = Column("", "started")


@dataclass(frozen=True, slots=True)
class TableState:
    """The state of a runs table. `filter` is what was typed, `good` the last filter that was right.

    `columns` None leaves the choice to the table. `page` is the token of the page shown, `before` how many runs
    stand on the pages before it, `back` the tokens of those pages, the nearest last.
    """

    filter: str = ""
    good: str = ""
    sort: Column = BY_START
    descending: bool = True
    columns: tuple[Column, ...] | None = None
    view: str = "active"
    size: int = PAGE_SIZE_DEFAULT
    page: str = ""
    before: int = 0
    back: tuple[str, ...] = ()

    @staticmethod
    def read(arguments: Sequence[tuple[str, str]]) -> "TableState":
        """The state of a query's arguments, in their order. The last of several wins, except for columns and trail."""
        last = dict(arguments)
        sort = column_of(last.get("sort", "")) or BY_START
        desc = last.get("desc", "1" if sort == BY_START else "0")
        page = last.get("page", "")
        return TableState(
            filter=last.get("filter", "").strip(),
            good=last.get("good", "").strip(),
            sort=sort,
            descending=desc == "1",
            columns=_columns([value for name, value in arguments if name == "col"]),
            view=last["view"] if last.get("view") in VIEWS else "active",
            size=_size(last.get("size", "")),
            page=page,
            before=_count(last.get("before", "")) if page else 0,
            back=tuple(value for name, value in arguments if name == "back")[-BACK_TOKENS_MAX:] if page else (),
        )

    def query(self) -> list[tuple[str, str]]:
        """The arguments that `read` turns into this state again; defaults are left out."""
        return [*self.query_without("page", "before", "back"), *self._place()]

    def query_without(self, *names: str) -> list[tuple[str, str]]:
        """The arguments of a form that sets `names` itself. The place in the pages is never among them."""
        pairs = [
            ("filter", self.filter),
            ("good", self.good if self.good != self.filter else ""),
            *self._sorting(),
            *(("col", column.id) for column in self.columns or ()),
            # A choice of no column at all still is a choice.
            ("col", "none" if self.columns == () else ""),
            ("view", self.view if self.view != "active" else ""),
            ("size", str(self.size) if self.size != PAGE_SIZE_DEFAULT else ""),
        ]
        return [(name, value) for name, value in pairs if value and name not in names]

    def _sorting(self) -> list[tuple[str, str]]:
        if self.sort == BY_START:
            return [] if self.descending else [("desc", "0")]
        return [("sort", self.sort.id), ("desc", "1" if self.descending else "")]

    def _place(self) -> list[tuple[str, str]]:
        if not self.page:
            return []
        return [("page", self.page), ("before", str(self.before)), *(("back", token) for token in self.back)]

    def first_page(self) -> "TableState":
        return replace(self, page="", before=0, back=())

    def sorted_by(self, column: Column) -> "TableState":
        """The state behind a click on a header: the same column turns round, another starts with its useful end."""
        descending = (
            not self.descending if column == self.sort else column.kind == "metrics" or column.name == "started"
        )
        return replace(self.first_page(), sort=column, descending=descending)

    def next_page(self, token: str, shown: int) -> "TableState":
        back = (*self.back, self.page)[-BACK_TOKENS_MAX:]
        return replace(self, page=token, before=self.before + shown, back=back)

    def previous_page(self) -> "TableState | None":
        """The page before this one, or None on the first. Where the trail is cut it leads to the first page."""
        if not self.page:
            return None
        before = max(self.before - self.size, 0)
        if not self.back or not self.back[-1] or before == 0:
            return self.first_page()
        return replace(self, page=self.back[-1], before=before, back=self.back[:-1])


def _columns(ids: Sequence[str]) -> tuple[Column, ...] | None:
    if not any(ids):
        return None
    found = (column_of(text) for text in ids)
    return tuple(dict.fromkeys(column for column in found if column is not None and column.kind))


def _size(text: str) -> int:
    return int(text) if text in map(str, PAGE_SIZES) else PAGE_SIZE_DEFAULT


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
