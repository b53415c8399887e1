"""The names that the searched experiments have, and what a bare name means among them."""

from dataclasses import dataclass, replace
from difflib import get_close_matches

from minleaf_server.entities.number import number_of
from minleaf_server.filters import limits
from minleaf_server.filters.errors import FilterError
from minleaf_server.filters.printer import field_to_text
from minleaf_server.filters.schema import Schema
from minleaf_server.filters.tree import Field, Kind


@dataclass(frozen=True)
class Catalog:
    """The metric, param and tag names present in the searched experiments."""

    metrics: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def names(self, kind: Kind) -> tuple[str, ...]:
        return {Kind.METRIC: self.metrics, Kind.PARAM: self.params, Kind.TAG: self.tags}.get(kind, ())

    def kinds(self, name: str) -> list[Kind]:
        """What `name` names here."""
        return [kind for kind in (Kind.METRIC, Kind.PARAM, Kind.TAG) if name in self.names(kind)]


def resolve(field: Field, catalog: Catalog, schema: Schema, text: str) -> Field:
    """A bare name with its kind: an attribute, else what the catalog has. Raises FilterError with a hint."""
    if field.aggregate is None and schema.attribute(field.name) is not None:
        return replace(field, kind=Kind.ATTRIBUTE)
    kinds = [kind for kind in catalog.kinds(field.name) if kind in schema.kinds]
    if field.aggregate is not None:
        kinds = [kind for kind in kinds if kind is Kind.METRIC]
    if not kinds:
        raise _unknown(field, catalog, schema, text)
    if len(kinds) > 1:
        raise _ambiguous(field, kinds, text)
    return replace(field, kind=kinds[0])


def _ambiguous(field: Field, kinds: list[Kind], text: str) -> FilterError:
    nouns = " and a ".join(_noun(kind) for kind in kinds)
    forms = tuple(field_to_text(Field(kind, field.name)) for kind in kinds)
    message = f"'{field.name}' is both a {nouns}."
    return FilterError(text, field.start, field.end, message, f"Write {' or '.join(forms)}.", forms)


def _unknown(field: Field, catalog: Catalog, schema: Schema, text: str) -> FilterError:
    if field.aggregate is not None:
        message = f"No metric of these {schema.noun} is called '{field.name}'."
        known = list(catalog.metrics)
    else:
        message = f"Nothing of these {schema.noun} is called '{field.name}': no attribute, metric, param or tag."
        known = [*schema.types, *schema.aliases, *catalog.metrics, *catalog.params, *catalog.tags]
    hint = "Write the name on the left and the value on the right." if number_of(field.name) is not None else None
    near = _nearest(field.name, known)
    if near:
        hint = f"Did you mean {' or '.join(near)}?"
    fixes = tuple(field_to_text(replace(field, name=name)) for name in near)
    return FilterError(text, field.start, field.end, message, hint, fixes)


def _nearest(name: str, known: list[str]) -> list[str]:
    alike = [other for other in known if abs(len(other) - len(name)) <= 3][: limits.MAX_NAMES_COMPARED]
    lowered = {other.lower(): other for other in reversed(alike)}
    found = get_close_matches(name.lower()[: limits.MAX_SHOWN], lowered, n=3, cutoff=0.6)
    return [lowered[match] for match in found]


def _noun(kind: Kind) -> str:
    return kind.value.removesuffix("s")
