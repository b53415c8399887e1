"""Reading requests: what the fast path takes, what the slow path saves, and in which words the rest is refused."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.errors import InvalidParameter
from minleaf_server.rest import messages
from minleaf_server.rest.decode import check_content_type, convert, decode_body, decode_query

METRIC: dict[str, Any] = {"run_id": "r", "key": "m", "value": 1.5, "timestamp": 5}
DOCS = " See the API docs for more information about request parameters."


def log_metric(**changes: Any) -> messages.LogMetric:
    return decode_body(json.dumps({**METRIC, **changes}).encode(), messages.LogMetric)


def refusal(body: bytes | str | dict[str, Any], kind: type[messages.Request] = messages.LogMetric) -> str:
    if isinstance(body, dict):
        body = json.dumps(body)
    with pytest.raises(InvalidParameter) as caught:
        decode_body(body.encode() if isinstance(body, str) else body, kind)
    return caught.value.message


def test_a_plain_request() -> None:
    message = log_metric(step=3)
    assert (message.run_id, message.key, message.value, message.timestamp, message.step) == ("r", "m", 1.5, 5, 3)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (1, 1.0),
        (-0.0, -0.0),
        (5e-324, 5e-324),
        (2**53 + 1, float(2**53 + 1)),
        ("1.5", 1.5),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
    ],
)
def test_values(given: object, value: float) -> None:
    read = log_metric(value=given).value
    assert (read, math.copysign(1, read)) == (value, math.copysign(1, value))


@pytest.mark.parametrize("given", ["NaN", "nan", math.nan])
def test_nan_as_text_and_as_a_literal(given: object) -> None:
    assert math.isnan(log_metric(value=given).value)


@given(st.floats(allow_nan=False))
def test_every_double_by_its_bits(value: float) -> None:
    read = log_metric(value=value).value
    assert read.hex() == value.hex()


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("abc", "str"),
        (True, "bool"),
        (False, "bool"),
        ([], "list"),
        ({}, "dict"),
        ([1], "list"),
        ("1_0", "str"),
        ("0x1", "str"),
        (" 1", "str"),
        ("1e400", "str"),
    ],
)
def test_values_that_are_no_numbers(given: object, kind: str) -> None:
    shown = json.dumps(given, separators=(",", ":"))
    expected = f"Invalid value {shown} for parameter 'value' supplied:  Hint: Value was of type '{kind}'.{DOCS}"
    if given in ([], ""):
        expected = f"Missing value for required parameter 'value'.{DOCS}"
    assert refusal({**METRIC, "value": given}) == expected


def test_a_number_too_large_for_a_double_is_refused_and_not_infinity() -> None:
    assert "Invalid value \"1e400\" for parameter 'value'" in refusal(json.dumps(METRIC).replace("1.5", "1e400"))
    # In a field that nobody reads it harms nobody.
    assert decode_body(json.dumps(METRIC).replace("}", ', "x": 1e400}').encode(), messages.LogMetric).value == 1.5


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ("3", 3),
        (3.0, 3),
        ("-3", -3),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (str(-(2**63)), -(2**63)),
        (None, 0),
    ],
)
def test_steps(given: object, step: int) -> None:
    assert log_metric(step=given).step == step


@pytest.mark.parametrize("given", [2**63, -(2**63) - 1, str(2**63), 1.5, "1.5", True, "x", "", [], "\uff11", 10**30])
def test_steps_that_are_no_64_bit_integers(given: object) -> None:
    assert refusal({**METRIC, "step": given}).startswith(f"Invalid value {json.dumps(given)} for parameter 'step'")


@pytest.mark.parametrize("given", [2**63, 1.5, True, "x"])
def test_bad_timestamps(given: object) -> None:
    assert refusal({**METRIC, "timestamp": given}).startswith(
        f"Invalid value {json.dumps(given)} for parameter 'timest"
    )


@pytest.mark.parametrize("name", ["run_id", "key", "value", "timestamp"])
def test_missing_null_and_empty_are_the_same(name: str) -> None:
    expected = f"Missing value for required parameter '{name}'.{DOCS}"
    assert refusal({key: value for key, value in METRIC.items() if key != name}) == expected
    assert refusal({**METRIC, name: None}) == expected
    assert refusal({**METRIC, name: ""}) == expected


def test_the_first_fault_in_mlflows_order_is_told() -> None:
    assert "'run_id'" in refusal({})
    assert "'key'" in refusal({"run_id": "r", "timestamp": "x"})


def test_null_stands_for_the_default() -> None:
    message = decode_body(b'{"run_id": "r", "metrics": null, "params": [], "tags": null}', messages.LogBatch)
    assert (message.metrics, message.params, message.tags) == ([], [], [])
    assert decode_body(b'{"run_id": "r", "key": "k", "value": null}', messages.SetTag).value == ""


@pytest.mark.parametrize("name", ["run_uuid", "runId", "runUuid"])
def test_other_names_of_run_id(name: str) -> None:
    others = {key: value for key, value in METRIC.items() if key != "run_id"}
    assert decode_body(json.dumps({**others, name: "other"}).encode(), messages.LogMetric).run_id == "other"
    assert log_metric(run_uuid="other").run_id == "r"


def test_two_spellings_of_a_field_are_refused() -> None:
    assert refusal({**METRIC, "runId": "x"}) == "Request specifies both 'run_id' and 'runId'; provide only one of them."


def test_unknown_fields_are_passed_over_and_the_last_of_two_equal_names_counts() -> None:
    assert log_metric(unknown={"a": [1]}).value == 1.5
    assert decode_body(json.dumps(METRIC)[:-1].encode() + b', "value": 2}', messages.LogMetric).value == 2
    assert decode_body(json.dumps(METRIC)[:-1].encode() + b', "x": 0, "value": 2}', messages.LogMetric).value == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings(encoding: str) -> None:
    assert (
        decode_body(json.dumps({**METRIC, "key": "é"}, ensure_ascii=False).encode(encoding), messages.LogMetric).key
        == "é"
    )


def test_json_inside_a_json_string() -> None:
    assert decode_body(json.dumps(json.dumps(METRIC)).encode(), messages.LogMetric).value == 1.5
    assert "it is of type 'str'" in refusal(json.dumps(json.dumps(json.dumps(METRIC))))


@pytest.mark.parametrize("body", [b"", b"  ", b"null", b"{}", b'"null"'])
def test_an_empty_body_is_an_empty_object(body: bytes) -> None:
    assert decode_body(body, messages.CreateRun) == messages.CreateRun()


@pytest.mark.parametrize(
    "body", [b"{", b'{"run_id": "r"', b"nonsense", b'"{"', b"{'a': 1}", b'{"a": 1,}', b'{"a":"\n"}']
)
def test_a_body_that_is_no_json_is_refused_even_where_nothing_is_required(body: bytes) -> None:
    assert refusal(body, messages.CreateRun).startswith("The body of the request is not valid JSON")


@pytest.mark.parametrize(("body", "kind"), [("[1]", "list"), ("5", "int"), ("true", "bool"), ("1.5", "float")])
def test_a_body_that_is_no_object_is_refused(body: str, kind: str) -> None:
    assert (
        refusal(body, messages.CreateRun) == f"The body of the request must be a JSON object; it is of type '{kind}'."
    )


@pytest.mark.parametrize(
    "body",
    [
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"run_id":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"run_id":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
        b'{"run_id": "r", "key": "k", "timestamp": 1, "value": 1, "step": ' + b"9" * 10_000 + b"}",
        b"9" * 10_000,
        b'{"run_id": "r", "metrics": [' + b"{}," * 200_000 + b"{}]}",
        b'{"run_id": "r", "metrics": [' + b"1," * 1_000_000 + b"1]}",
        b"\xff\xfe\x00",
        b'{"run_id": "\xff"}',
        b'{"run_id": "\xc0\xae"}',
    ],
    ids=[
        "deep",
        "open lists",
        "open objects",
        "deep list",
        "deep object",
        "huge step",
        "huge number",
        "empty entries",
        "numbers as entries",
        "odd utf-16",
        "bad utf-8",
        "overlong utf-8",
    ],
)
def test_hostile_bodies_are_refused(body: bytes) -> None:
    refusal(body, messages.LogBatch)
    refusal(body, messages.LogMetric)


def test_a_million_unknown_names() -> None:
    names = ", ".join(f'"n{number}": 1' for number in range(1_000_000))
    assert decode_body(b'{"run_id": "r", ' + names.encode() + b"}", messages.RunId).run_id == "r"


@pytest.mark.parametrize("text", ["a\\u0000b", "\\ud800", "a\\udfff", "\\ud800\\ud800"])
@pytest.mark.parametrize("name", ["run_id", "key", "value"])
def test_text_that_cannot_be_kept(text: str, name: str) -> None:
    body = json.dumps({"run_id": "r", "key": "k", "value": "v", name: "HERE"}).replace("HERE", text)
    message = refusal(body, messages.SetTag)
    assert f"for parameter '{name}' supplied: Text may not contain" in message
    message.encode()


def test_surrogate_pairs_and_a_written_out_backslash_are_text_like_any_other() -> None:
    body = rb'{"run_id": "r", "key": "k", "value": "\ud83d\ude00 \\u0000 \u00e9"}'
    assert decode_body(body, messages.SetTag).value == "😀 \\u0000 é"


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        ({"metrics": [{"key": "b", "value": 1}]}, "Missing value for required parameter 'metrics[0].timestamp'."),
        ({"metrics": [METRIC, {"value": 1, "timestamp": 1}]}, "Missing value for required parameter 'metrics[1].key'."),
        ({"metrics": [METRIC, METRIC, {}]}, "Missing value for required parameter 'metrics[2].key'."),
        ({"params": [{"value": "1"}]}, "Missing value for required parameter 'params[0].key'."),
        ({"tags": [{"key": ""}]}, "Missing value for required parameter 'tags[0].key'."),
        ({"metrics": {}}, "Invalid value {} for parameter 'metrics' supplied:  Hint: Value was of type 'dict'."),
        ({"metrics": "x"}, "Invalid value \"x\" for parameter 'metrics' supplied:  Hint: Value was of type 'str'."),
        ({"tags": [5]}, "Invalid value 5 for parameter 'tags[0]' supplied:  Hint: Value was of type 'int'."),
        (
            {"metrics": [METRIC, {**METRIC, "value": "x"}]},
            "Invalid value \"x\" for parameter 'metrics[1].value' supplied:  Hint: Value was of type 'str'.",
        ),
        (
            {"params": [{"key": "k", "value": 5}]},
            "Invalid value 5 for parameter 'params[0].value' supplied:  Hint: Value was of type 'int'.",
        ),
    ],
)
def test_faults_in_a_batch_are_named_with_their_place(batch: dict[str, Any], expected: str) -> None:
    assert refusal({"run_id": "r", **batch}, messages.LogBatch) == expected + DOCS


def test_a_batch_with_nan_literals_and_null_steps() -> None:
    points = [{"key": "m", "value": math.nan, "timestamp": "5", "step": None}, {**METRIC, "step": -1}]
    message = decode_body(json.dumps({"run_id": "r", "metrics": points}).encode(), messages.LogBatch)
    assert [(point.timestamp, point.step) for point in message.metrics] == [(5, 0), (5, -1)]
    assert math.isnan(message.metrics[0].value)


def test_lists_of_texts() -> None:
    assert decode_body(b'{"experiment_ids": ["1", "2"]}', messages.SearchRuns).experiment_ids == ["1", "2"]
    assert "'experiment_ids'" in refusal({"experiment_ids": [1]}, messages.SearchRuns)
    assert "type 'str'" in refusal({"experiment_ids": "1"}, messages.SearchRuns)
    assert "'order_by'" in refusal({"order_by": [None]}, messages.SearchRuns)
    assert "Text may not contain" in refusal({"experiment_ids": ["\x00"]}, messages.SearchRuns)


def test_queries() -> None:
    message = decode_query(
        b"run_id=a%20b&metric_key=m%2Fx&max_results=7&ignored=1&run_id=second", messages.GetMetricHistory
    )
    assert (message.run_id, message.metric_key, message.max_results) == ("a b", "m/x", 7)
    bulk = decode_query(b"run_id=a&run_id=b&metric_key=%C3%A9", messages.GetMetricHistoryBulk)
    assert (bulk.run_id, bulk.metric_key) == (["a", "b"], "é")
    assert decode_query(b"run_uuid=x", messages.RunId).run_id == "x"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"", "Missing value for required parameter 'run_id'."),
        (b"run_id=", "Missing value for required parameter 'run_id'."),
        (b"run_id=r", "Missing value for required parameter 'metric_key'."),
        (b"run_id=r&metric_key=m&max_results=x", "Invalid value \"x\" for parameter 'max_results' supplied"),
        (b"run_id=r&metric_key=m&max_results=1.5", "Invalid value \"1.5\" for parameter 'max_results' supplied"),
        (b"run_id=%00", "Text may not contain the NUL character"),
        (b"run_id=%ff", "The query of the address is not UTF-8"),
        (b"run_id=\xff", "The query of the address is not UTF-8"),
        (b"run_id=%ed%a0%80", "The query of the address is not UTF-8"),
    ],
)
def test_bad_queries(query: bytes, expected: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        decode_query(query, messages.GetMetricHistory)
    assert caught.value.message.startswith(expected) or expected in caught.value.message


@pytest.mark.parametrize("header", [b"application/json", b"application/json; charset=utf-8", b"Application/JSON ;x"])
def test_content_types_that_are_taken(header: bytes) -> None:
    check_content_type(header)


@pytest.mark.parametrize(
    "header", [None, b"", b"text/plain", b"application/x-www-form-urlencoded", b"application/jsonp"]
)
def test_content_types_that_are_refused(header: bytes | None) -> None:
    with pytest.raises(InvalidParameter, match=r"Bad Request\. Content-Type"):
        check_content_type(header)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=5), children, max_size=4),
    max_leaves=8,
)
KINDS = [kind for kind in vars(messages).values() if isinstance(kind, type) and issubclass(kind, messages.Request)]
NAMES = sorted({name for kind in KINDS for name in kind.__struct_fields__})


@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6), st.sampled_from(KINDS))
def test_any_object_gives_a_message_or_a_refusal_and_both_paths_agree(
    values: dict[str, Any], kind: type[messages.Request]
) -> None:
    try:
        slow = convert(values, kind)
    except InvalidParameter as error:
        told = error.message
        assert refusal(values, kind) == told
    else:
        assert repr(decode_body(json.dumps(values).encode(), kind)) == repr(slow)


@given(st.binary(max_size=60), st.sampled_from(KINDS))
def test_any_bytes_give_a_message_or_a_refusal(body: bytes, kind: type[messages.Request]) -> None:
    try:
        message = decode_body(body, kind)
    except InvalidParameter:
        return
    assert isinstance(message, kind)


def test_a_number_too_large_for_a_double_is_no_text_either() -> None:
    message = refusal('{"run_id": "r", "key": "k", "value": 1e400}', messages.LogParam)
    assert message == f"Invalid value \"1e400\" for parameter 'value' supplied:  Hint: Value was of type 'float'.{DOCS}"
