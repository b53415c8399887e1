"""What a search reads: columns that stay as they are while it reads them, of one experiment or joined from several."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from minleaf_server.columns import Integers, Numbers, Texts, Vocabulary, Wanted
from minleaf_server.filters.tree import Aggregate, Kind

Column = Numbers | Integers | Texts
C = TypeVar("C", Numbers, Integers, Texts)


@dataclass(frozen=True, slots=True)
class View:
    """Some columns of some runs, as minleaf_server.columns.Rows asks for them."""

    ids: NDArray[np.int64]
    uuids: NDArray[np.bytes_]
    lifecycles: NDArray[np.int8]
    columns: Mapping[Wanted, Column]

    @property
    def size(self) -> int:
        return len(self.ids)

    def metric(self, name: str, aggregate: Aggregate) -> Numbers | Integers:
        column = self.columns[Wanted(Kind.METRIC, name, aggregate)]
        assert not isinstance(column, Texts)
        return column

    def param(self, name: str) -> Texts:
        return self._texts(Wanted(Kind.PARAM, name))

    def tag(self, name: str) -> Texts:
        return self._texts(Wanted(Kind.TAG, name))

    def text(self, attribute: str) -> Texts:
        return self._texts(Wanted(Kind.ATTRIBUTE, attribute))

    def time(self, attribute: str) -> Integers:
        column = self.columns[Wanted(Kind.ATTRIBUTE, attribute)]
        assert isinstance(column, Integers)
        return column

    def _texts(self, field: Wanted) -> Texts:
        column = self.columns[field]
        assert isinstance(column, Texts)
        return column


def joined(parts: Sequence[tuple[View, NDArray[np.intp]]], wanted: Iterable[Wanted]) -> View:
    """The chosen runs of several views, which have all these columns. Their number is that of a page or two."""
    columns = {field: _joined([(view.columns[field], places) for view, places in parts]) for field in wanted}
    return View(
        np.concatenate([view.ids[places] for view, places in parts]),
        np.concatenate([view.uuids[places] for view, places in parts]),
        np.concatenate([view.lifecycles[places] for view, places in parts]),
        columns,
    )


def _joined(parts: Sequence[tuple[Column, NDArray[np.intp]]]) -> Column:
    first = parts[0][0]
    if isinstance(first, Texts):
        texts = [(column.texts, column.codes[places]) for column, places in parts if isinstance(column, Texts)]
        vocabulary = Vocabulary()
        codes = [_recoded(vocabulary, known, chosen) for known, chosen in texts]
        return Texts(np.concatenate(codes), vocabulary)
    numbers = [(column, places) for column, places in parts if not isinstance(column, Texts)]
    values: NDArray[Any] = np.concatenate([column.values[places] for column, places in numbers])
    present = np.concatenate([column.present[places] for column, places in numbers])
    return Integers(values, present) if isinstance(first, Integers) else Numbers(values, present)


def _recoded(vocabulary: Vocabulary, texts: Sequence[str], codes: NDArray[np.int32]) -> NDArray[np.int32]:
    present = codes >= 0
    recoded = np.full(len(codes), -1, np.int32)
    recoded[present] = vocabulary.codes_of(texts[code] for code in codes[present].tolist())
    return recoded
