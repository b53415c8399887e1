"""How much one query may ask for, judged before anything of it is run."""

from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

MAX_DEPTH = 10
MAX_SELECTIONS = 1000
"""MLflow's figures."""


class TooMuch(Exception):
    """The query asks for more than one may. The text says how much that is."""


def check(document: DocumentNode, root_fields: int, aliases: int) -> None:
    """Raises TooMuch for too many root fields, aliases on one level, fields in all, or levels.

    Fragments count where they are used, so that nothing can be hidden in them.
    """
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            _Count(fragments, root_fields, aliases).of(node.selection_set)


class _Count:
    def __init__(self, fragments: dict[str, FragmentDefinitionNode], root_fields: int, aliases: int) -> None:
        self._fragments = fragments
        self._root_fields = root_fields
        self._aliases = aliases
        self._selections = 0

    def of(self, root: SelectionSetNode) -> None:
        level, depth = [root], 1
        while level:
            if depth > MAX_DEPTH:
                raise TooMuch(f"Query exceeds maximum depth of {MAX_DEPTH}")
            below: list[SelectionSetNode] = []
            for selections in level:
                fields = self._fields(selections)
                if depth == 1:
                    _at_most(self._root_fields, len(fields), "root fields", "ROOT_FIELDS")
                _at_most(self._aliases, sum(field.alias is not None for field in fields), "aliases", "ALIASES")
                below += [field.selection_set for field in fields if field.selection_set]
            level, depth = below, depth + 1

    def _fields(self, selections: SelectionSetNode) -> list[FieldNode]:
        """The fields of one selection, with those of the fragments that are spread in it."""
        found: list[FieldNode] = []
        waiting: list[SelectionNode] = list(selections.selections)
        spread: set[str] = set()
        while waiting:
            node = waiting.pop(0)
            self._selections += 1
            if self._selections > MAX_SELECTIONS:
                raise TooMuch(f"Query exceeds maximum total selections of {MAX_SELECTIONS}")
            if isinstance(node, FieldNode):
                found.append(node)
            elif isinstance(node, InlineFragmentNode):
                waiting += node.selection_set.selections
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                fragment = self._fragments.get(node.name.value)
                waiting += fragment.selection_set.selections if fragment else ()
        return found


def _at_most(limit: int, count: int, noun: str, variable: str) -> None:
    if count > limit:
        raise TooMuch(
            f"GraphQL queries should have at most {limit} {noun}, got {count} {noun}. To increase the limit, set the "
            f"MLFLOW_SERVER_GRAPHQL_MAX_{variable} environment variable."
        )
