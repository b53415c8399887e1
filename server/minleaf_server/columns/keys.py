"""What runs are sorted by, key for key as `db.run_order` has it, so that a page token of SQL's continues here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from minleaf_server.columns.fields import RUN_ID, START_TIME, column_of
from minleaf_server.columns.ranking import WHOLE, Ranking
from minleaf_server.columns.table import Integers, Mask, Numbers, Rows, Texts
from minleaf_server.filters import OrderBy
from minleaf_server.filters.limits import SORTED_CHARACTERS
from minleaf_server.filters.tree import Aggregate, Kind

Value: TypeAlias = int | float | str | None
Places: TypeAlias = NDArray[np.intp] | slice
"""Runs by their places in the columns. A slice is all of them."""

Level: TypeAlias = Callable[[Places], NDArray[Any]]
"""Of runs, something to sort by: what is less comes first, a NaN last."""


class Key(Protocol):
    """One sort value, of which None comes last whatever the direction."""

    def value(self, place: int) -> Value:
        """The value of one run."""
        ...

    def behind(self, value: Value, places: Places) -> Mask:
        """Of each run, whether it sorts strictly behind `value` by this key alone."""
        ...

    def is_at(self, value: Value, places: Places) -> Mask:
        """Of each run, whether it has this value."""
        ...


@dataclass
class Keys:
    """The sort values of a page token, and the levels that give the same order with less work."""

    keys: list[Key] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)

    def values(self, place: int) -> tuple[Value, ...]:
        """The sort values of one run."""
        return tuple(key.value(place) for key in self.keys)


def keys_of(orders: Sequence[OrderBy], rows: Rows) -> Keys:
    """The order of runs: as asked, then the latest start first, then by run id."""
    made = Keys()
    start = OrderBy(START_TIME, descending=True)
    named = {order.field for order in orders if order.field.kind is Kind.ATTRIBUTE}
    for order in [*orders, *([] if START_TIME in named else [start])]:
        if order.field == RUN_ID:
            _add_id(made, rows, order.descending)
        else:
            _add(made, order, rows)
    if RUN_ID not in named:
        _add_id(made, rows, descending=False)
    return made


def _add(made: Keys, order: OrderBy, rows: Rows) -> None:
    column = column_of(order.field, rows)
    if isinstance(column, Integers):
        _add_integers(made, column, order.descending)
    elif isinstance(column, Texts):
        _add_texts(made, column, order)
    else:
        numbers = _Numbers(column.values, order.descending)
        made.levels.append(numbers.level)
        if order.field.aggregate is Aggregate.LAST:
            # A NaN comes before what is missing; both are NaNs to the level before.
            made.keys.append(_Rank(lambda places: _number_ranks(column, places)))
            if not column.present.all():
                made.levels.append(lambda places: ~column.present[places])
        made.keys.append(numbers)


def _is_behind(values: NDArray[Any], edge: Any, descending: bool) -> Mask:
    found: Mask = values < edge if descending else values > edge
    return found


def _number_ranks(column: Numbers, places: Places) -> NDArray[np.uint8]:
    absent = np.where(column.present[places], np.uint8(1), np.uint8(2))
    return np.where(np.isnan(column.values[places]), absent, np.uint8(0))


def _add_integers(made: Keys, column: Integers, descending: bool) -> None:
    key = _Integers(column, descending)
    made.keys.append(key)
    if column.present.all():
        made.levels.append(key.level)
    else:
        made.levels.append(lambda places: ~column.present[places])
        made.levels.append(lambda places: np.where(column.present[places], key.level(places), 0))


def _add_texts(made: Keys, column: Texts, order: OrderBy) -> None:
    is_param = order.field.kind is Kind.PARAM
    characters = WHOLE if order.field.kind is Kind.ATTRIBUTE else SORTED_CHARACTERS
    ranking = column.vocabulary.ranking(is_param, characters)
    key = _Texts(column, ranking, order.descending)
    if is_param:
        # By code; where there is none, the -1 leads to the last.
        numbers = np.append(column.vocabulary.numbers, np.nan)
        ranks = np.append(np.isnan(numbers[:-1]).astype(np.uint8), np.uint8(2))
        made.keys.append(_Rank(lambda places: ranks[column.codes[places]]))
        made.keys.append(_CodedNumbers(numbers, order.descending, column.codes))
    made.keys.append(key)
    made.levels.append(key.level)


def _add_id(made: Keys, rows: Rows, descending: bool) -> None:
    ids = _Ids(rows.uuids, descending)
    made.keys.append(ids)
    made.levels += ids.levels()


@dataclass(frozen=True)
class _Rank:
    """0 for a number, 1 for another value, 2 for what is missing."""

    ranks: Callable[[Places], NDArray[np.uint8]]

    def value(self, place: int) -> Value:
        return int(self.ranks(slice(place, place + 1))[0])

    def behind(self, value: Value, places: Places) -> Mask:
        return _is_behind(self.ranks(places), value, descending=False)

    def is_at(self, value: Value, places: Places) -> Mask:
        found: Mask = self.ranks(places) == value
        return found


@dataclass(frozen=True)
class _Numbers:
    """Doubles, of which a NaN is none."""

    values: NDArray[np.float64]
    descending: bool

    def level(self, places: Places) -> NDArray[np.float64]:
        found = self._at(places)
        return -found if self.descending else found

    def value(self, place: int) -> Value:
        value = float(self._at(slice(place, place + 1))[0])
        return None if value != value else value

    def behind(self, value: Value, places: Places) -> Mask:
        values = self._at(places)
        if value is None:
            return np.zeros(len(values), bool)
        return _is_behind(values, value, self.descending) | np.isnan(values)

    def is_at(self, value: Value, places: Places) -> Mask:
        values = self._at(places)
        found: Mask = np.isnan(values) if value is None else values == value
        return found

    def _at(self, places: Places) -> NDArray[np.float64]:
        return self.values[places]


@dataclass(frozen=True)
class _CodedNumbers(_Numbers):
    """The same where `values` are by code."""

    codes: NDArray[np.int32]

    def _at(self, places: Places) -> NDArray[np.float64]:
        return self.values[self.codes[places]]


@dataclass(frozen=True)
class _Integers:
    column: Integers
    descending: bool

    def level(self, places: Places) -> NDArray[np.int64]:
        # Every bit turned around turns the order around, also of the least integer, whose negative is none.
        return ~self.column.values[places] if self.descending else self.column.values[places]

    def value(self, place: int) -> Value:
        return int(self.column.values[place]) if self.column.present[place] else None

    def behind(self, value: Value, places: Places) -> Mask:
        values, present = self.column.values[places], self.column.present[places]
        if value is None:
            return np.zeros(len(values), bool)
        return _is_behind(values, value, self.descending) | ~present

    def is_at(self, value: Value, places: Places) -> Mask:
        present = self.column.present[places]
        if value is None:
            return ~present
        found: Mask = (self.column.values[places] == value) & present
        return found


@dataclass(frozen=True)
class _Texts:
    """Texts by their ranks. A text that is a number has no value here where `ranking` counts numbers."""

    column: Texts
    ranking: Ranking
    descending: bool

    def level(self, places: Places) -> NDArray[np.int32]:
        ranks = self.ranking.backwards() if self.descending else self.ranking.ranks
        found: NDArray[np.int32] = np.append(ranks, np.int32(self.ranking.size))[self.column.codes[places]]
        return found

    def value(self, place: int) -> Value:
        code = self.column.codes[place]
        if self._ranks()[code] < 0:
            return None
        return self.column.texts[int(code)][: self.ranking.characters]

    def behind(self, value: Value, places: Places) -> Mask:
        ranks = self._ranks()
        if value is None:
            behind = np.zeros(len(ranks), bool)
        else:
            place, exists = self.ranking.place(str(value))
            behind = ranks < place if self.descending else ranks >= place + exists
            behind |= ranks < 0
        return self._at(behind, places)

    def is_at(self, value: Value, places: Places) -> Mask:
        place, exists = (-1, True) if value is None else self.ranking.place(str(value))
        return self._at((self._ranks() == place) & exists, places)

    def _ranks(self) -> NDArray[np.int32]:
        """By code, -1 for no text; the last is for what is absent."""
        ranks = self.ranking.ranks
        return np.append(np.where(ranks < self.ranking.numbers, np.int32(-1), ranks), np.int32(-1))

    def _at(self, passes: Mask, places: Places) -> Mask:
        found: Mask = passes[self.column.codes[places]]
        return found


@dataclass(frozen=True)
class _Ids:
    uuids: NDArray[np.bytes_]
    descending: bool

    def levels(self) -> list[Level]:
        """Eight bytes after eight as integers, which sort faster than texts and most often the first are enough."""
        size, count = self.uuids.itemsize, -(-self.uuids.itemsize // 8)
        padded = np.ascontiguousarray(self.uuids, dtype=f"S{8 * count}") if size % 8 else self.uuids
        words = np.ascontiguousarray(padded).view(">u8").reshape(len(self.uuids), count)
        return [partial(self._level, words[:, place]) for place in range(count)]

    def _level(self, words: NDArray[Any], places: Places) -> NDArray[np.uint64]:
        native: NDArray[np.uint64] = words[places].astype(np.uint64)
        return ~native if self.descending else native

    def value(self, place: int) -> Value:
        return bytes(self.uuids[place]).decode()

    def behind(self, value: Value, places: Places) -> Mask:
        return _is_behind(self.uuids[places], str(value).encode(errors="surrogatepass"), self.descending)

    def is_at(self, value: Value, places: Places) -> Mask:
        found: Mask = self.uuids[places] == str(value).encode(errors="surrogatepass")
        return found
