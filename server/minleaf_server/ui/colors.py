"""The colour of a run: one of twenty, from its id, and the same in every table and chart of a page."""

import hashlib
from collections.abc import Sequence

PALETTE_SIZE = 20


def run_colors(run_ids: Sequence[str]) -> dict[str, int]:
    """A palette index for each run shown, in the order shown. Each block of 20 rows has 20 different colours.

    A run keeps the colour of its id unless another run of its block of twenty has the same; then the one with the
    larger id takes the next free colour, whatever the order of the rows.
    """
    colors: dict[str, int] = {}
    for start in range(0, len(run_ids), PALETTE_SIZE):
        colors.update(_block_colors(run_ids[start : start + PALETTE_SIZE]))
    return colors


def _block_colors(run_ids: Sequence[str]) -> dict[str, int]:
    colors: dict[str, int] = {}
    crowded = []
    for run_id in sorted(run_ids):
        wanted = preferred_color(run_id)
        if wanted in colors.values():
            crowded.append(run_id)
        else:
            colors[run_id] = wanted
    for run_id in crowded:
        colors[run_id] = _next_free(preferred_color(run_id), set(colors.values()))
    return colors


def preferred_color(run_id: str) -> int:
    """The colour of a run that stands alone."""
    digest = hashlib.blake2b(run_id.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "big") % PALETTE_SIZE


def _next_free(wanted: int, taken: set[int]) -> int:
    # Seven has no divisor in common with twenty, so the steps reach every colour and land on an unlike one first.
    return next(color for step in range(PALETTE_SIZE) if (color := (wanted + 7 * step) % PALETTE_SIZE) not in taken)
