"""The cells of the tables: a value as text, its whole form for the hover, and how it is marked."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from minleaf_server.entities.number import number_of
from minleaf_server.ui import format as fmt

NUMBER_CHARS_MAX = 10  # a param that is a number is shown as it was logged up to this length


@dataclass(frozen=True, slots=True)
class Cell:
    """`kind` is "" for text, else "num", "nan", "inf", "absent" or "empty". `title` is "" where `text` is whole.

    `pad` is what, set behind the text unseen, lines the decimal points up. `best` is "highest" or "lowest" on the best
    values of a row or column.
    """

    text: str
    kind: str = ""
    title: str = ""
    pad: str = ""
    best: str = ""


ABSENT = Cell("\N{EN DASH}", "absent", "not logged")


def number_cell(value: float | None) -> Cell:
    """A logged or computed number; None is one that does not exist."""
    if value is None:
        return ABSENT
    if math.isnan(value):
        return Cell("NaN", "nan", "not a number")
    if math.isinf(value):
        return Cell(fmt.number(value), "inf", fmt.whole_number(value))
    text, whole = fmt.number(value), fmt.whole_number(value)
    return Cell(text, "num", "" if text == whole else whole)


def text_cell(text: str | None, limit: int = fmt.CELL_CHARS_MAX) -> Cell:
    """A param or tag. Numbers are set as numbers, in the digits they were logged with as long as these are few."""
    if text is None:
        return ABSENT
    if text == "":
        return Cell("empty", "empty", "an empty text")
    value = number_of(text)
    if value is None:
        shown = fmt.shortened(text, limit)
        return Cell(shown, "", fmt.full_title(text, shown))
    shown = text if len(text) <= NUMBER_CHARS_MAX else fmt.number(value)
    return Cell(shown, "num", fmt.full_title(text, shown))


def aligned(cells: Sequence[Cell]) -> list[Cell]:
    """The cells of one column with their decimal points in line."""
    pads = fmt.decimals_padding([cell.text if cell.kind == "num" else "" for cell in cells])
    return [replace(cell, pad=pad) if pad else cell for cell, pad in zip(cells, pads, strict=True)]


def all_numbers(cells: Sequence[Cell]) -> bool:
    """Whether the column reads as numbers, so that its header stands on the right as well."""
    marked = [cell.kind for cell in cells if cell.kind != "absent"]
    return bool(marked) and all(kind in ("num", "nan", "inf") for kind in marked)


_LOWER = {
    *("loss", "err", "error", "mse", "rmse", "mae", "mape", "rmsle", "nll", "ppl", "perplexity", "wer", "cer", "fid"),
    *("bpb", "bpc", "logloss", "brier", "divergence", "kl", "regret", "latency", "time", "duration", "seconds", "ms"),
}
_HIGHER = {
    *(
        "acc",
        "accuracy",
        "auc",
        "auroc",
        "auprc",
        "roc",
        "f1",
        "f2",
        "precision",
        "recall",
        "r2",
        "score",
        "iou",
        "miou",
    ),
    *(
        "map",
        "ap",
        "bleu",
        "rouge",
        "dice",
        "ndcg",
        "mrr",
        "reward",
        "return",
        "throughput",
        "mcc",
        "kappa",
        "psnr",
        "ssim",
    ),
    *("top1", "top5", "hit", "hits", "specificity", "sensitivity"),
}


def direction(metric: str) -> str:
    """Which end of a metric is good by the words of its name: "lowest", "highest", or "" where they do not say."""
    words = re.findall(r"[a-z]+[0-9]*", re.sub(r"([a-z])([A-Z])", r"\1 \2", metric).lower())
    if any(word in _LOWER for word in words):
        return "lowest"
    return "highest" if any(word in _HIGHER for word in words) else ""


def mark_best(cells: Sequence[Cell], values: Sequence[float | None], wanted: str) -> list[Cell]:
    """`cells` with every best finite value marked; none where all are equal or `wanted` is ""."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if not wanted or len(set(finite)) < 2:
        return list(cells)
    best = max(finite) if wanted == "highest" else min(finite)
    return [replace(cell, best=wanted) if value == best else cell for cell, value in zip(cells, values, strict=True)]
