"""The filter language over numpy columns of one experiment's runs: what SQL answers in seconds, in milliseconds. Pure.

`db.filter_sql`, `db.run_order` and `db.keyset` say what is right; here is the same without a database.
"""

from minleaf_server.columns.evaluate import matching, supports, wanted
from minleaf_server.columns.keys import Value
from minleaf_server.columns.order import Found, find
from minleaf_server.columns.table import Integers, Numbers, Rows, Texts, Wanted
from minleaf_server.columns.vocabulary import Vocabulary

__all__ = [
    "Found",
    "Integers",
    "Numbers",
    "Rows",
    "Texts",
    "Value",
    "Vocabulary",
    "Wanted",
    "find",
    "matching",
    "supports",
    "wanted",
]
