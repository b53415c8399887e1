"""Columns: one value of each run, with the run at the same place in every column.

A column and its arrays are never changed while somebody may read them: who has newer values makes new arrays. Only a
`Vocabulary` grows, at its end.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from minleaf_server.columns.vocabulary import Vocabulary
from minleaf_server.filters.tree import Aggregate, Field

Mask: TypeAlias = NDArray[np.bool_]
Wanted: TypeAlias = Field
"""A column by what it holds. Of a metric the aggregate is given, of anything else it is None."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Doubles: the last, least or greatest value of a metric, or a duration in ms.

    `values` has NaN where there is none. Where a run has the metric, `present` is true: then a NaN is the last value,
    or says that no value is a number, so that there is no least and no greatest.
    """

    values: NDArray[np.float64]
    present: Mask

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.values.nbytes + self.present.nbytes


@dataclass(frozen=True, slots=True)
class Integers:
    """64-bit integers: the count or a step of a metric, or a time in ms. `values` has anything where absent."""

    values: NDArray[np.int64]
    present: Mask

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.values.nbytes + self.present.nbytes


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts: of each run the place of its text in `vocabulary.texts`, or -1 where absent."""

    codes: NDArray[np.int32]
    vocabulary: Vocabulary

    @property
    def texts(self) -> list[str]:
        """The distinct texts, in the order of their first appearance."""
        return self.vocabulary.texts

    @property
    def nbytes(self) -> int:
        """Bytes of memory, with the texts and with what is remembered of them."""
        return self.codes.nbytes + self.vocabulary.nbytes


class Rows(Protocol):
    """The loaded columns of one experiment's runs, deleted ones included.

    A name that no run has gives a column in which nothing is present. Only columns that `wanted` named are asked for.
    """

    @property
    def size(self) -> int:
        """How many runs there are."""
        ...

    @property
    def uuids(self) -> NDArray[np.bytes_]:
        """`run.uuid` of each, in UTF-8."""
        ...

    def metric(self, name: str, aggregate: Aggregate) -> Numbers | Integers:
        """LAST, MIN and MAX are `Numbers`; COUNT, ARGMIN and ARGMAX are `Integers`."""
        ...

    def param(self, name: str) -> Texts:
        """A param's texts, as they were logged."""
        ...

    def tag(self, name: str) -> Texts:
        """A tag's texts."""
        ...

    def text(self, attribute: str) -> Texts:
        """`run_name`, `user_id`, `artifact_uri`, and `status` by its name such as FINISHED; none is absent."""
        ...

    def time(self, attribute: str) -> Integers:
        """`start_time` or `end_time`, in ms since 1970."""
        ...
