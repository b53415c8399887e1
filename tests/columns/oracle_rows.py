"""The columns of plain runs."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from minleaf_server.columns import Integers, Numbers, Texts, Vocabulary
from minleaf_server.filters.tree import Aggregate, Field, Kind
from tests.filters.oracle import MISSING, OracleRun, value_of

_STEPS = (Aggregate.COUNT, Aggregate.ARGMIN, Aggregate.ARGMAX)


class OracleRows:
    """Rows of `runs`. Runs may be added: the vocabularies stay, as they do in a server."""

    def __init__(self, runs: Sequence[OracleRun]) -> None:
        self.runs = list(runs)
        self._vocabularies: dict[tuple[Kind, str], Vocabulary] = defaultdict(Vocabulary)

    @property
    def size(self) -> int:
        return len(self.runs)

    @property
    def uuids(self) -> NDArray[np.bytes_]:
        return np.array([run.id.encode() for run in self.runs] or [b""], bytes)[: self.size]

    def metric(self, name: str, aggregate: Aggregate) -> Numbers | Integers:
        values = self._values(Field(Kind.METRIC, name, aggregate))
        present = np.array([name in run.metrics for run in self.runs], bool)
        if aggregate in _STEPS:
            return _integers(values)
        return Numbers(np.array([np.nan if value is MISSING else value for value in values], float), present)

    def param(self, name: str) -> Texts:
        return self._texts(Kind.PARAM, name)

    def tag(self, name: str) -> Texts:
        return self._texts(Kind.TAG, name)

    def text(self, attribute: str) -> Texts:
        return self._texts(Kind.ATTRIBUTE, attribute)

    def time(self, attribute: str) -> Integers:
        return _integers(self._values(Field(Kind.ATTRIBUTE, attribute)))

    def _values(self, field: Field) -> list[object]:
        return [value_of(run, field) for run in self.runs]

    def _texts(self, kind: Kind, name: str) -> Texts:
        values = self._values(Field(kind, name))
        codes = np.full(len(values), -1, np.int32)
        is_present = np.array([value is not MISSING for value in values], bool)
        vocabulary = self._vocabularies[kind, name]
        codes[is_present] = vocabulary.codes_of(str(value) for value in values if value is not MISSING)
        return Texts(codes, vocabulary)


def _integers(values: list[object]) -> Integers:
    present = np.array([value is not MISSING for value in values], bool)
    # What stands where nothing is must not matter.
    whole = [value if isinstance(value, int) else 1000 for value in values]
    return Integers(np.array(whole, np.int64), present)
