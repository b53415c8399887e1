"""The filter language: text to tokens to a tree, checked against what the experiments have, and back to text. Pure."""

from minleaf_server.filters.checker import Catalog, bare_names, check, check_order
from minleaf_server.filters.errors import FilterError
from minleaf_server.filters.order import OrderBy, order_to_text, parse_order, parse_orders
from minleaf_server.filters.parser import parse
from minleaf_server.filters.printer import to_text
from minleaf_server.filters.schema import EXPERIMENTS, RUNS, Schema
from minleaf_server.filters.tree import Expr

__all__ = [
    "EXPERIMENTS",
    "RUNS",
    "Catalog",
    "Expr",
    "FilterError",
    "OrderBy",
    "Schema",
    "bare_names",
    "check",
    "check_order",
    "order_to_text",
    "parse",
    "parse_order",
    "parse_orders",
    "to_text",
]
