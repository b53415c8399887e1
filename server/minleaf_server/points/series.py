"""The points of one metric of one run, as columns."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Series:
    """Three arrays of equal length: steps (int64), timestamps in ms (int64), values (float64, any bits)."""

    steps: npt.NDArray[np.int64]
    timestamps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.steps)

    def by_step(self) -> Self:
        """Sorted by (step, timestamp, value), each distinct point once."""
        return self._sorted(self.timestamps, self.steps)

    def by_time(self) -> Self:
        """Sorted by (timestamp, step, value) as MLflow's history is, each distinct point once."""
        return self._sorted(self.steps, self.timestamps)

    def _sorted(self, second: npt.NDArray[np.int64], first: npt.NDArray[np.int64]) -> Self:
        bits = self.values.view(np.int64)
        order = np.lexsort((bits, self.values, second, first))
        steps, timestamps, bits = self.steps[order], self.timestamps[order], bits[order]
        # Points are the same when their bits are: a float comparison would keep the twins of a NaN.
        fresh = np.ones(len(order), dtype=bool)
        fresh[1:] = (np.diff(steps) != 0) | (np.diff(timestamps) != 0) | (bits[1:] != bits[:-1])
        return type(self)(steps[fresh], timestamps[fresh], bits[fresh].view(np.float64))
