"""Random filters as trees that the parser could have made, with values that meet those of the random runs."""

from hypothesis import strategies as st

from minleaf_server.filters.order import OrderBy
from minleaf_server.filters.tree import (
    Aggregate,
    And,
    Between,
    Compare,
    Expr,
    Field,
    In,
    IsNull,
    Kind,
    Literal,
    Not,
    Operator,
    Or,
    Words,
)

METRICS = ["acc", "val loss", "métrique", "a`b", "absent"]
PARAMS = ["lr", "depth", 'the "key"', "absent"]
TAGS = ["stage", "mlflow.user", "absent"]
NUMBERS = [
    "0",
    "-0.0",
    "0.1",
    "5e-1",
    "1",
    "-1",
    "3",
    "10",
    "inf",
    "-inf",
    "nan",
    "1e308",
    "5e-324",
    "1e999",
    "9007199254740993",
]
STEPS = [*NUMBERS, "2", "2.5", "-7", "9223372036854775808", "-1e30"]
LONG = "x" * 200
TEXTS = [
    "3",
    "3.0",
    "10",
    "9",
    "0.1",
    "1e-1",
    "-0",
    "inf",
    "nan",
    "True",
    "true",
    "None",
    "adam",
    "Adam",
    "ADAM",
    "a_b",
    "a%b",
]
TEXTS += [
    "a\\b",
    "ab",
    "it's",
    'q"q',
    "'\"`",
    "",
    "é",
    "É",
    "ß",
    "ẞ",
    "Å",
    "å",
    "K",
    "k",
    "K",
    "日本",
    "😀",
    "x\ny",
    " x ",
    LONG,
    LONG + "y",
]
TEXTS += ["0x10", "1_000", "٣", "ǅ", "a*b", "a?b", "[a]", "^a$", "FINISHED", "ends\\"]
PATTERNS = [
    "%",
    "_",
    "__",
    "a%",
    "%b",
    "a_b",
    "a\\_b",
    "a\\%",
    "%'%",
    "é",
    "É%",
    "%\n%",
    "%%",
    "[a]",
    "a*b",
    "A%",
    "k",
    "ß",
    "å",
    "ǆ",
    "%ED",
    "",
    "x%y",
]
REGEXES = [
    "^a",
    "b$",
    "a.b",
    "[a-c]+",
    r"\d",
    "^$",
    "(a|b)c?",
    "x{3,}",
    "(?i)adam",
    "(?i)[A-C]",
    r"\bx",
    "[^a-z]",
    r"\s",
    "日",
    r"\\",
    ".",
    r"^\w+$",
]
REGEXES += [
    r"a\Bd",
    "a??",
    "(?:ad|Ad)am",
    "x.y$",
    "[]a]",
    "[^]]",
    r"\[a\]",
    "()",
    "a|",
    "[a-]",
    "^(FIN|RUN)",
    "é|É",
    r"[\d.]+e",
]
STATUSES = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
TIMES = ["0", "1000", "86400000", "2.5", "1970-01-02", "1970-01-01T00:00:01Z", "-7d", "1e30"]
SPANS = ["0s", "1s", "2m", "1.5h", "1d", "-1s"]

DATASETS = ["train", "Train", "test", "a_b", "a%b", "é", "É", LONG, LONG + "y", "absent"]

comparisons = [Operator.EQ, Operator.NE, Operator.LT, Operator.LE, Operator.GT, Operator.GE]
patterns = [Operator.LIKE, Operator.NOT_LIKE, Operator.ILIKE, Operator.NOT_ILIKE]


def quoted(pool: list[str]) -> st.SearchStrategy[Literal]:
    return st.sampled_from(pool).map(lambda text: Literal(text, quoted=True))


def bare(pool: list[str]) -> st.SearchStrategy[Literal]:
    return st.sampled_from(pool).map(Literal)


def compared(
    fields: st.SearchStrategy[Field], operators: list[Operator], values: st.SearchStrategy[Literal]
) -> st.SearchStrategy[Compare]:
    return st.builds(Compare, fields, st.sampled_from(operators), values)


def listed(fields: st.SearchStrategy[Field], values: st.SearchStrategy[Literal]) -> st.SearchStrategy[In]:
    return st.builds(In, fields, st.lists(values, min_size=1, max_size=4).map(tuple), st.booleans())


def ranged(fields: st.SearchStrategy[Field], values: st.SearchStrategy[Literal]) -> st.SearchStrategy[Between]:
    return st.builds(Between, fields, values, values, st.booleans())


def named(kind: Kind, names: list[str]) -> st.SearchStrategy[Field]:
    return st.sampled_from(names).map(lambda name: Field(kind, name))


def textual(fields: st.SearchStrategy[Field], ordered: bool = True) -> st.SearchStrategy[Expr]:
    return st.one_of(
        compared(fields, comparisons if ordered else comparisons[:2], quoted(TEXTS)),
        compared(fields, patterns, quoted(PATTERNS)),
        compared(fields, [Operator.MATCH, Operator.NOT_MATCH], quoted(REGEXES)),
        listed(fields, quoted(TEXTS)),
    )


times = st.one_of(bare(TIMES), quoted(["1970-01-01 00:01", "1970-01-02"]))
values = st.sampled_from([None, Aggregate.LAST, Aggregate.MIN, Aggregate.MAX])
steps = st.sampled_from([Aggregate.COUNT, Aggregate.ARGMIN, Aggregate.ARGMAX])
value_fields = st.builds(Field, st.just(Kind.METRIC), st.sampled_from(METRICS), values)
step_fields = st.builds(Field, st.just(Kind.METRIC), st.sampled_from(METRICS), steps)
param_fields, tag_fields = named(Kind.PARAM, PARAMS), named(Kind.TAG, TAGS)
text_fields = named(Kind.ATTRIBUTE, ["run_name", "user_id", "run_id", "artifact_uri"])
status_field = named(Kind.ATTRIBUTE, ["status"])
time_fields = named(Kind.ATTRIBUTE, ["start_time", "end_time"])
duration_field = named(Kind.ATTRIBUTE, ["duration"])
dataset_fields = named(Kind.DATASET, ["name", "digest", "context"])
any_field = st.one_of(
    value_fields, step_fields, param_fields, tag_fields, text_fields, status_field, time_fields, duration_field
)

param_words = st.one_of(
    bare(["3", "3.0", "0.1", "inf", "adam", "true", "nan", "-7d", "0x10"]), quoted(["3", "10", "adam"])
)

clauses: st.SearchStrategy[Expr] = st.one_of(
    compared(value_fields, comparisons, bare(NUMBERS)),
    listed(value_fields, bare(NUMBERS)),
    ranged(value_fields, bare(NUMBERS)),
    compared(step_fields, comparisons, bare(STEPS)),
    listed(step_fields, bare(STEPS)),
    ranged(step_fields, bare(STEPS)),
    compared(param_fields, comparisons, param_words),
    listed(param_fields, param_words),
    ranged(param_fields, bare(["3", "10", "-1", "0.5"])),
    ranged(param_fields, bare(["A", "a", "z", "nan"])),
    textual(param_fields),
    textual(tag_fields),
    ranged(tag_fields, quoted(TEXTS)),
    textual(text_fields),
    textual(status_field, ordered=False),
    listed(status_field, bare(["running", "Failed", "FINISHED"])),
    compared(time_fields, comparisons, times),
    listed(time_fields, times),
    ranged(time_fields, times),
    compared(duration_field, comparisons, bare(SPANS)),
    ranged(duration_field, bare(SPANS)),
    compared(dataset_fields, comparisons[:2], quoted(DATASETS)),
    compared(dataset_fields, patterns, quoted([*PATTERNS, *DATASETS])),
    listed(dataset_fields, quoted(DATASETS)),
    st.builds(IsNull, st.one_of(any_field, dataset_fields), st.booleans()),
    st.lists(st.sampled_from([*TEXTS, "net", "not", "metrics.x"]), min_size=1, max_size=2).map(
        lambda words: Words(tuple(words))
    ),
)

expressions: st.SearchStrategy[Expr] = st.recursive(
    clauses,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: And(tuple(items))),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: Or(tuple(items))),
    ),
    max_leaves=6,
)

orders = st.lists(
    st.builds(OrderBy, any_field, st.booleans()),
    max_size=3,
    unique_by=lambda order: (order.field.kind, order.field.name),
)
