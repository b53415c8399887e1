"""The rules of what may be logged."""

import math
from collections.abc import Callable

import pytest

from minleaf_server.entities import Point, PointColumns, limits
from minleaf_server.entities import validation as rules
from minleaf_server.errors import InvalidParameter, NotFound

NOT_UNIQUE = "must not resolve to other names"
BAD_CHARACTER = "Names may only contain alphanumerics"


@pytest.mark.parametrize("kind", ["metric", "param", "tag"])
@pytest.mark.parametrize(
    "key", [" ", "漢字", "a:b", "a/b", "a.b-c_d e", "é" * 250, "a" * 250, "_", "-", "a..b", "x/..b"]
)
def test_good_keys(kind: str, key: str) -> None:
    rules.validate_key(kind, key, "")


@pytest.mark.parametrize("kind", ["metric", "param", "tag"])
@pytest.mark.parametrize(
    ("key", "reason"),
    [(key, NOT_UNIQUE) for key in ("", ".", "..", "../x", "/x", "a//b", "./a", "a/", "a/../b", "....")]
    + [(key, BAD_CHARACTER) for key in ("a\n", "a\r", "a\t", "a\x85", "a\u2028", "🙂", "a\x00", "\ud800", "\u202ea")]
    + [(f"a{character}", BAD_CHARACTER) for character in "%@+=,()#'\"\\<"]
    + [("a" * 251, "exceeds the maximum length of 250 characters"), ("a" * 65536, "it has 65536 characters")],
)
def test_bad_keys(kind: str, key: str, reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason):
        rules.validate_key(kind, key, "")


def test_an_error_names_the_place_and_shows_little_of_a_long_value() -> None:
    with pytest.raises(InvalidParameter) as caught:
        rules.validate_param("%" * 100_000, "", "params[7]")
    assert "for parameter 'params[7].key' supplied" in caught.value.message
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize("value", [0.0, -0.0, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf, 3])
def test_every_number_is_a_value(value: float) -> None:
    rules.validate_metric(Point("m", value, 0, 0))


@pytest.mark.parametrize("value", [True, False, None, "1", [], {}, 1j])
def test_what_is_no_number_is_no_value(value: object) -> None:
    with pytest.raises(InvalidParameter, match=r"for parameter 'metrics\[2\]\.value' supplied.*valid double"):
        rules.validate_metric(Point("m", value, 0, 0), "metrics[2]")  # type: ignore[arg-type]


@pytest.mark.parametrize("timestamp", [-1, 2**63, True, 1.5, None])
def test_bad_timestamps(timestamp: object) -> None:
    with pytest.raises(InvalidParameter, match="Timestamp must be a nonnegative long"):
        rules.validate_metric(Point("m", 1.0, timestamp, 0))  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [-(2**63) - 1, 2**63, True, 1.5, None])
def test_bad_steps(step: object) -> None:
    with pytest.raises(InvalidParameter, match="Step must be a valid long"):
        rules.validate_metric(Point("m", 1.0, 0, step))  # type: ignore[arg-type]


def test_the_edges_of_step_and_timestamp() -> None:
    rules.validate_metric(Point("m", 1.0, 2**63 - 1, -(2**63)))
    rules.validate_metric(Point("m", 1.0, 0, 2**63 - 1))


def test_long_values_are_whole_or_refused() -> None:
    rules.validate_param("p", "é" * limits.MAX_PARAM_VALUE_LENGTH)
    rules.validate_tag("t", "🙂" * limits.MAX_TAG_VALUE_LENGTH)
    rules.validate_experiment_tag("t", "x" * 20_000)
    with pytest.raises(InvalidParameter, match="it has 500001 characters"):
        rules.validate_param("p", "é" * (limits.MAX_PARAM_VALUE_LENGTH + 1))
    with pytest.raises(InvalidParameter, match="it has 500001 characters"):
        rules.validate_tag("t", "é" * (limits.MAX_TAG_VALUE_LENGTH + 1))
    with pytest.raises(InvalidParameter, match="20000 characters"):
        rules.validate_experiment_tag("t", "x" * 20_001)


@pytest.mark.parametrize("text", ["a\x00b", "\x00", "\ud800", "a\udfff"])
def test_text_that_cannot_be_kept(text: str) -> None:
    for validate in (
        lambda: rules.validate_param("p", text),
        lambda: rules.validate_tag("t", text),
        lambda: rules.validate_experiment_tag("t", text),
        lambda: rules.validate_experiment_name(text),
        lambda: rules.validate_run_name(text),
        lambda: rules.validate_user(text),
    ):
        with pytest.raises(InvalidParameter, match="Text may not contain"):
            validate()


def test_experiment_names() -> None:
    rules.validate_experiment_name("x" * 500)
    for name in ("", "x" * 501):
        with pytest.raises(InvalidParameter):
            rules.validate_experiment_name(name)


def test_run_ids() -> None:
    for good in ("a", "0" * 32, "x" * 256, "A-b_c"):
        rules.validate_run_id(good)
    for bad in ("", "../x", "x" * 257, "-a", "a/b", "a\n"):
        with pytest.raises(InvalidParameter, match="for parameter 'run_id'"):
            rules.validate_run_id(bad)


def test_experiment_ids() -> None:
    assert [rules.parse_experiment_id(text) for text in ("0", "7", "007", str(2**63 - 1))] == [0, 7, 7, 2**63 - 1]
    for bad in ("", "abc", "../x", " 1", "1 ", "1\n", "\uff11", "1_0", "1.0", "0x1", "\ud800"):
        with pytest.raises(InvalidParameter, match="must be a valid integer"):
            rules.parse_experiment_id(bad)
    for unknown in ("-1", str(2**63), "1" + "0" * 30, "9" * 100_000):
        with pytest.raises(NotFound, match="No Experiment with id="):
            rules.parse_experiment_id(unknown)


ROOT = "mlflow-artifacts:/"


@pytest.mark.parametrize(
    ("location", "root"),
    [
        ("mlflow-artifacts:/x/y", ROOT),
        ("mlflow-artifacts:/", ROOT),
        ("mlflow-artifacts:/a..b", ROOT),
        ("s3://bucket/runs/x", "s3://bucket/runs"),
        ("s3://bucket/runs", "s3://bucket/runs/"),
        ("/srv/artifacts/x", "/srv/artifacts"),
        ("/srv/artifacts/x", "file:///srv/artifacts"),
        ("file:///srv/artifacts/x", "/srv/artifacts"),
        ("my_location", ROOT),
        ("some location/é", ROOT),
        ("100%", "s3://bucket"),
        ("mlflow-artifacts:/" + "x" * 2030, ROOT),
    ],
)
def test_locations_in_the_store(location: str, root: str) -> None:
    rules.validate_artifact_location(location, root)


@pytest.mark.parametrize(
    "location",
    [
        "/etc",
        "file:///srv",
        "file:..",
        "..",
        "s3://other",
        "s3://bucket/runs2",
        "a%2fb",
        "100%25",
        "C:/x",
        "c:x",
        "~\\x",
        "a/../b",
        "a?b",
        "gopher:x",
        "javascript:x",
        "data:,x",
        "jar:x",
        "\\\\host\\share",
        "mlflow-artifacts://host/x",
        "mlflow-artifacts:x",
        "runs:/abc",
        "http:///x",
        "mlflow-artifacts:/../x",
        "mlflow-artifacts:/a/%2e%2e/x",
        "mlflow-artifacts:/%252e%252e/x",
        "mlflow-artifacts:/a#b",
        "mlflow-artifacts:/a?b",
        "mlflow-artifacts:/a%3fb",
        "mlflow-artifacts:/a%23b",
        "mlflow-artifacts:/a;b",
        "mlflow-artifacts:/a\nb",
        "mlflow-artifacts:/a%00b",
        "mlflow-artifacts:/a%5cb",
        "dbfs:/a%3f/../..",
        "mlflow-artifacts:/" + "x" * 2031,
    ],
)
def test_locations_outside_the_store(location: str) -> None:
    for root in (ROOT, "s3://bucket/runs", "/srv/artifacts"):
        with pytest.raises(InvalidParameter) as caught:
            rules.validate_artifact_location(location, root)
        assert "/srv/artifacts" not in caught.value.message


def test_a_location_is_also_taken_under_an_allowed_prefix() -> None:
    allowed = ("s3://bucket/a", "/srv")
    for location in ("s3://bucket/a/x", "/srv/x", "file:///srv/x"):
        rules.validate_artifact_location(location, ROOT, allowed)
    for location in ("s3://bucket/ab", "/srv2", "file://srv/x"):
        with pytest.raises(InvalidParameter, match="outside the artifact store"):
            rules.validate_artifact_location(location, ROOT, allowed)


POINT = Point("m", 1.0, 0, 0)
PARAMS = [(f"p{number}", "1") for number in range(101)]
TAGS = [(f"t{number}", "1") for number in range(101)]


def test_batches_up_to_the_limits() -> None:
    rules.validate_batch(PointColumns.of([]), [], [])
    rules.validate_batch(PointColumns.of([POINT] * 1000), [], [])
    rules.validate_batch(PointColumns.of([POINT] * 800), PARAMS[:100], TAGS[:100])


@pytest.mark.parametrize(
    ("metrics", "params", "tags", "message"),
    [
        ([POINT] * 1001, [], [], "at most 1000 metrics. Got 1001 metrics. Please split up metrics across multiple"),
        ([], PARAMS, [], "at most 100 params. Got 101 params."),
        ([], [], TAGS, "at most 100 tags. Got 101 tags."),
        (
            [POINT] * 900,
            PARAMS[:100],
            TAGS[:1],
            "at most 1000 metrics, params, and tags. Got 1001 metrics, params, and",
        ),
        ([], [("k", "1"), ("k", "1")], [], r"Duplicate parameter keys have been submitted: \['k'\]\."),
    ],
)
def test_batches_beyond_the_limits(
    metrics: list[Point], params: list[tuple[str, str]], tags: list[tuple[str, str]], message: str
) -> None:
    with pytest.raises(InvalidParameter, match=message):
        rules.validate_batch(PointColumns.of(metrics), params, tags)


@pytest.mark.parametrize("index", [0, 500, 999])
def test_a_bad_point_in_a_batch_is_named(index: int) -> None:
    metrics = [POINT] * 1000
    metrics[index] = POINT._replace(timestamp=-1)
    with pytest.raises(InvalidParameter, match=rf"'metrics\[{index}\]\.timestamp'"):
        rules.validate_batch(PointColumns.of(metrics), [], [])


@pytest.mark.parametrize(
    "fields",
    [{"value": value} for value in (3, True, "1", None, math.nan, -0.0)]
    + [{"timestamp": value} for value in (2**63 - 1, 2**63, True, 1.5, "1", None)]
    + [{"step": value} for value in (-(2**63), -(2**63) - 1, 2**63 - 1, 2**63, False, 0.5, None)]
    + [{"key": value} for value in ("a" * 250, "a" * 251, "a//b", "a@", "", "漢字", "\ud800")],
    ids=lambda fields: f"{next(iter(fields))} {str(next(iter(fields.values())))[:20]!a}",
)
def test_a_batch_passes_where_each_of_its_points_does(fields: dict[str, object]) -> None:
    odd = POINT._replace(**fields)  # type: ignore[arg-type]
    alone = refusal(lambda: rules.validate_metric(odd, "metrics[1]"))
    assert refusal(lambda: rules.validate_batch(PointColumns.of([POINT, odd, POINT]), [], [])) == alone


def refusal(check: Callable[[], None]) -> str | None:
    """The text with which a check refuses; None where it lets pass."""
    try:
        check()
    except InvalidParameter as error:
        return error.message
    return None


def test_a_bad_param_or_tag_in_a_batch_is_named() -> None:
    with pytest.raises(InvalidParameter, match=r"'params\[1\]\.key'"):
        rules.validate_batch(PointColumns.of([]), [("a", ""), ("b@", "")], [])
    with pytest.raises(InvalidParameter, match=r"'tags\[1\]\.value'"):
        rules.validate_batch(PointColumns.of([]), [], [("a", ""), ("b", "\x00")])
