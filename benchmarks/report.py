"""The table, on the terminal and in docs/benchmarks.md."""

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from benchmarks.battery import Timed
from benchmarks.load import ROOT
from benchmarks.measure import Sample

DOCUMENT = ROOT / "docs" / "benchmarks.md"
SYSTEMS = ("Minleaf", "MLflow", "FastTrackML")
DATABASES = ("sqlite", "postgres")


@dataclass
class Row:
    """One line: a number for each server, by its name as in `str(target)`."""

    name: str
    unit: str
    values: dict[str, float]
    floor: str = ""
    reach: str = ""
    samples: Mapping[str, Sample] = field(default_factory=dict)


def text(rows: list[Row], batteries: Mapping[str, list[Timed]], notes: list[str], versions: Mapping[str, str]) -> str:
    """All of it as Markdown."""
    parts = [_conditions(versions), table(rows), "", _speeds(rows)]
    for name, timed in batteries.items():
        parts += ["", _battery(name, timed)]
    if notes:
        parts += ["", *(f"- {note}" for note in notes)]
    return "\n".join(parts) + "\n"


def table(rows: list[Row]) -> str:
    """Every figure with its ratio to Minleaf's on the same database."""
    names = [f"{system} on {database}" for database in DATABASES for system in SYSTEMS]
    head = ["work", "unit", *(name.replace(" on ", ", ") for name in names), "floor", "to reach"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        lines.append([row.name, row.unit, *(_cell(row, name) for name in names), row.floor, row.reach])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(row: Row, name: str) -> str:
    if name not in row.values:
        return ""
    value = row.values[name]
    ours = row.values.get(f"Minleaf on {name.rpartition(' ')[2]}")
    ratio = f" ({_number(value / ours)}x)" if ours and not name.startswith("Minleaf") else ""
    return _number(value) + ratio


def floor(answer: float, databases: Mapping[str, float], values: Mapping[str, float]) -> str:
    """The cell of the floor: a bare answer and, by its name, the bare database; with Minleaf's ratio to their sum."""
    parts = [f"answer {_number(answer)}"]
    for name, cost in databases.items():
        ours = values.get(f"Minleaf on {name}")
        ratio = f" (Minleaf {_number(ours / (answer + cost))}x)" if ours else ""
        parts.append(f"+ {name} {_number(cost)}{ratio}")
    return " ".join(parts)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _speeds(rows: list[Row]) -> str:
    """Rates and latencies of the same measurements, as far as a request was measured at all."""
    head = ["work", "server", "requests/s", "p50 ms", "p99 ms", "server CPU ms", "Postgres CPU ms"]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        for name, one in row.samples.items():
            numbers = (one.rate, one.p50, one.p99, one.server)
            database = _number(one.database) if name.endswith("postgres") else ""
            lines.append([row.name, name, *map(_number, numbers), database])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _battery(name: str, timed: list[Timed]) -> str:
    """The five worst queries of the battery."""
    worst = sorted(timed, key=lambda one: one.warm, reverse=True)[:5]
    lines = [["slowest queries of the battery, " + name, "CPU ms warm", "CPU ms cold"], ["---"] * 3]
    lines += [[f"`{one.query}`".replace("|", "\\|"), _number(one.warm), _number(one.cold)] for one in worst]
    total = ["all together", _number(sum(one.warm for one in timed)), _number(sum(one.cold for one in timed))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [*lines, total])


def _conditions(versions: Mapping[str, str]) -> str:
    what = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{date.today().isoformat()}, {platform.system()} on {os.cpu_count()} cores ({_processor()}). {what}.\n"


def _processor() -> str:
    with open("/proc/cpuinfo") as file:
        return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "unknown")


def write(text: str, place: str = "figures", document: Path = DOCUMENT) -> None:
    """Put the text between the marks of its place in the document, instead of what is there.

    Raises SystemExit where the document has not exactly one such place.
    """
    marks = re.compile(rf"(<!-- {place} -->\n).*?(<!-- /{place} -->)", re.DOTALL)
    new, count = marks.subn(lambda found: f"{found[1]}{text}{found[2]}", document.read_text())
    if count != 1:
        raise SystemExit(f"{document} has no place for the text: <!-- {place} --> … <!-- /{place} -->")
    document.write_text(new)
