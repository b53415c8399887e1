"""The rules that what is logged must obey. Pure functions: they return or raise `errors.InvalidParameter`.

The texts begin as MLflow's do, because its client shows them and callers match on them. `path` is the place of the
value in the request, such as `metrics[3]`, or empty where the request is about one thing.
"""

import json
import posixpath
import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import unquote

from minleaf_server import errors
from minleaf_server.entities import limits
from minleaf_server.entities.metric import Point, PointColumns

# `\w` is Unicode's on purpose: MLflow takes CJK names. Always with fullmatch, because `$` lets a final newline pass.
_KEY = re.compile(r"[/\w.\- :]*")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")
_EXPERIMENT_ID = re.compile(r"-?[0-9]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")

_BAD_CHARACTER = (
    "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) "
    "and slashes (/)."
)
_LENGTH_NAMES = {"metric": "Metric name", "param": "Param key"}


def shown(value: object) -> str:
    """`value` as JSON for an error message, cut where it is long. Lone surrogates come out as escapes."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    except RecursionError:
        return "(nested too deeply to be shown)"
    if len(text) <= limits.MAX_SHOWN_LENGTH:
        return text
    return f"{text[: limits.MAX_SHOWN_LENGTH]}… ({len(text)} characters)"


def invalid_value(path: str, value: object, reason: str = "") -> errors.InvalidParameter:
    """MLflow's error for a value that is not allowed."""
    return errors.InvalidParameter(
        f"Invalid value {shown(value)} for parameter '{path}' supplied" + (f": {reason}" if reason else ".")
    )


def missing_value(path: str) -> errors.InvalidParameter:
    """MLflow's error for a value that is not there."""
    return errors.InvalidParameter(f"Missing value for required parameter '{path}'.")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def validate_length(name: str, value: str, limit: int, remark: str = "") -> None:
    """Refuses a text of more than `limit` characters, with the text of MLflow's error and `remark` behind it."""
    if len(value) > limit:
        raise errors.InvalidParameter(
            f"'{name}' exceeds the maximum length of {limit} characters: it has {len(value)} characters{remark}"
        )


def validate_text(value: str, path: str) -> None:
    """Refuses text that cannot be kept as it is: a NUL (Postgres cannot store it) or half a surrogate pair."""
    if "\x00" in value:
        raise invalid_value(path, value, "Text may not contain the NUL character (U+0000).")
    if not value.isascii() and _SURROGATE.search(value):
        raise invalid_value(path, value, "Text may not contain half of a surrogate pair (U+D800 to U+DFFF).")


@lru_cache(maxsize=16384)
def _is_plain_key(key: str) -> bool:
    """Whether a key of legal length obeys the rules. Cached, because a training logs the same few names for hours."""
    return _KEY.fullmatch(key) is not None and not _resolves_elsewhere(key)


def _resolves_elsewhere(key: str) -> bool:
    normal = posixpath.normpath(key)
    return normal != key or normal == "." or normal.startswith(("..", "/"))


def validate_key(kind: str, key: str, path: str) -> None:
    """Checks the name of a metric, param or tag (`kind` is one of these words).

    A name has 1 to 250 letters, digits (of any script) or characters out of `/_-. :`, and read as a path it must
    resolve to itself, as in MLflow.
    """
    if _is_sound_key(key):
        return
    name = _join(path, "name" if kind == "metric" else "key")
    if _KEY.fullmatch(key) is None:
        raise invalid_value(name, key, _BAD_CHARACTER)
    if _resolves_elsewhere(key):
        raise invalid_value(
            name,
            key,
            "Names may be treated as files in certain cases, and must not resolve to other names when treated as such. "
            f"This name would resolve to {posixpath.normpath(key)[: limits.MAX_SHOWN_LENGTH]!r}",
        )
    validate_length(_LENGTH_NAMES.get(kind, name), key, limits.MAX_KEY_LENGTH)


def _is_sound_key(key: str) -> bool:
    return len(key) <= limits.MAX_KEY_LENGTH and _is_plain_key(key)


def _are_sound(points: PointColumns) -> bool:
    """The quick answer for what nearly every batch is: each column is looked at as a whole."""
    timestamps, steps = points.timestamps, points.steps
    return not points.keys or (
        set(map(type, points.values)) == {float}
        and set(map(type, timestamps)) == {int}
        and set(map(type, steps)) == {int}
        and min(timestamps) >= 0
        and max(timestamps) <= limits.INT64_MAX
        and min(steps) >= limits.INT64_MIN
        and max(steps) <= limits.INT64_MAX
        and all(map(_is_sound_key, set(points.keys)))
    )


def validate_metric(point: Point, path: str = "") -> None:
    """Checks one point: its name, a real number (no bool) as value, timestamp 0 to 2^63 - 1, a 64-bit step.

    NaN and infinities are values like any other.
    """
    key, value, timestamp, step = point
    validate_key("metric", key, path)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        reason = f"(timestamp={timestamp}). Please specify value as a valid double (64-bit floating point)"
        raise invalid_value(_join(path, "value"), value, reason)
    about = f"metric '{key}' (value={value})."
    if not _is_int64(timestamp) or timestamp < 0:
        reason = f"{about} Timestamp must be a nonnegative long (64-bit integer) "
        raise invalid_value(_join(path, "timestamp"), timestamp, reason)
    if not _is_int64(step):
        raise invalid_value(_join(path, "step"), step, f"{about} Step must be a valid long (64-bit integer).")


def _is_int64(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and limits.INT64_MIN <= value <= limits.INT64_MAX


def _is_sound_text(key: str, value: str, limit: int) -> bool:
    """The quick answer for what nearly every param and tag is."""
    return len(value) <= limit and value.isascii() and "\0" not in value and _is_sound_key(key)


def validate_param(key: str, value: str, path: str = "") -> None:
    """Checks a param. Its value is kept whole up to `limits.MAX_PARAM_VALUE_LENGTH` and refused beyond."""
    if _is_sound_text(key, value, limits.MAX_PARAM_VALUE_LENGTH):
        return
    validate_key("param", key, path)
    validate_text(value, _join(path, "value"))
    validate_length("Param value", value, limits.MAX_PARAM_VALUE_LENGTH)


def validate_tag(key: str, value: str, path: str = "") -> None:
    """Checks a tag of a run. Its value is kept whole up to `limits.MAX_TAG_VALUE_LENGTH` and refused beyond."""
    if _is_sound_text(key, value, limits.MAX_TAG_VALUE_LENGTH):
        return
    validate_key("tag", key, path)
    validate_text(value, _join(path, "value"))
    validate_length(_join(path, "value"), value, limits.MAX_TAG_VALUE_LENGTH)


def validate_experiment_tag(key: str, value: str, path: str = "") -> None:
    """Checks a tag of an experiment; its value has at most 20,000 characters, as in MLflow."""
    validate_key("tag", key, path)
    validate_text(value, _join(path, "value"))
    # Callers that were written for MLflow 3.6 look for its limit in the text.
    remark = ", and so it also exceeds the maximum length of 5000 characters that MLflow 3.6 takes"
    validate_length(_join(path, "value"), value, limits.MAX_EXPERIMENT_TAG_VALUE_LENGTH, remark)


def validate_experiment_name(name: str) -> None:
    """Checks the name of an experiment: 1 to 500 characters."""
    if not name:
        raise errors.InvalidParameter(f"Invalid experiment name: '{name}'")
    validate_text(name, "name")
    validate_length("name", name, limits.MAX_EXPERIMENT_NAME_LENGTH)


def validate_run_name(name: str) -> None:
    """Checks the name of a run."""
    validate_text(name, "run_name")
    validate_length("run_name", name, limits.MAX_RUN_NAME_LENGTH)


def validate_user(user: str) -> None:
    """Checks the name of a run's user."""
    validate_text(user, "user_id")
    validate_length("user_id", user, limits.MAX_USER_LENGTH)


def validate_run_id(run_id: str) -> None:
    """Checks that `run_id` can be the id of a run: a letter or digit, then up to 255 letters, digits, `_` or `-`."""
    if _RUN_ID.fullmatch(run_id) is None:
        raise invalid_value("run_id", run_id)


def parse_experiment_id(text: str) -> int:
    """The integer of an experiment id as MLflow's wire shows it.

    Raises `InvalidParameter` where the text is no integer in ASCII digits, and `NotFound` where it is one that no
    experiment can have.
    """
    if _EXPERIMENT_ID.fullmatch(text) is None:
        raise errors.InvalidParameter(f"Invalid experiment ID '{_cut(text)}'. Experiment ID must be a valid integer.")
    # A number of thousands of digits is not worth parsing, and int() refuses it.
    number = int(text) if len(text) <= len(str(limits.INT64_MIN)) else -1
    if not 0 <= number <= limits.INT64_MAX:
        raise errors.NotFound(f"No Experiment with id={_cut(text)} exists")
    return number


def _cut(text: str) -> str:
    plain = _SURROGATE.sub("\ufffd", text)
    return plain if len(plain) <= limits.MAX_SHOWN_LENGTH else plain[: limits.MAX_SHOWN_LENGTH] + "…"


def validate_artifact_location(location: str, root: str, allowed: Sequence[str] = ()) -> None:
    """Checks where an experiment's artifacts shall be kept.

    The location must lie in the store that the server serves (`mlflow-artifacts:/…`), under `root`, the configured
    default, or under one of the `allowed` prefixes. MLflow takes nearly any address; a server that later opens it
    can then be made to read or write anything its account may. A plain relative name is taken too: as in MLflow it
    means a place that only clients open.
    """
    validate_length("artifact_location", location, limits.MAX_ARTIFACT_LOCATION_LENGTH)
    validate_text(location, "artifact_location")
    if location.startswith("runs:"):
        raise errors.InvalidParameter(f"Artifact location cannot be a runs:/ URI. Given: '{_cut(location)}'")
    decoded = _decoded(location)
    if any(mark in decoded for mark in "#?;"):
        raise errors.InvalidParameter("'artifact_location' URL can't include fragments or params.")
    if "\\" in decoded or _CONTROL.search(decoded) or ".." in re.split(r"[/:]", decoded):
        raise invalid_value(
            "artifact_location", location, "A location may not contain '..', a backslash or a control character."
        )
    if decoded == location and not location.startswith("/") and _SCHEME.match(location) is None:
        return
    if not any(_is_under(_path_of(location), _path_of(base)) for base in ("mlflow-artifacts:/", root, *allowed)):
        raise invalid_value(
            "artifact_location",
            location,
            "It lies outside the artifact store of this server. Leave it out to use the default, or give a location "
            "under 'mlflow-artifacts:/'.",
        )


def _path_of(location: str) -> str:
    """A local place as a plain path, for `file:///srv` and `/srv` are the same; any other address as it is."""
    return location.removeprefix("file://") if location.startswith("file:///") else location


def _decoded(location: str) -> str:
    """The location with every layer of percent-encoding taken off, so that `%252e%252e` is seen for what it is."""
    for _ in range(limits.MAX_ARTIFACT_LOCATION_LENGTH):
        plain = unquote(location)
        if plain == location:
            break
        location = plain
    return location


def _is_under(location: str, base: str) -> bool:
    """Whether `location` is `base` or lies below it. `mlflow-artifacts://host/` names another server, so is not."""
    scheme = _SCHEME.match(base)
    if scheme and base.strip("/") == scheme[0]:
        rest = location.removeprefix(scheme[0])
        return rest != location and rest.startswith("/") and not rest.startswith("//")
    base = base.rstrip("/")
    return bool(base) and (location == base or location.startswith(f"{base}/"))


def _validate_count(name: str, count: int, limit: int) -> None:
    if count > limit:
        raise errors.InvalidParameter(
            f"A batch logging request can contain at most {limit} {name}. Got {count} {name}. "
            f"Please split up {name} across multiple requests and try again."
        )


def _validate_unique(params: Sequence[tuple[str, str]]) -> None:
    seen: set[str] = {key for key, _value in params}
    if len(seen) == len(params):
        return
    seen.clear()
    repeated = []
    for key, _value in params:
        if key in seen:
            repeated.append(key)
        seen.add(key)
    if repeated:
        raise errors.InvalidParameter(
            f"Duplicate parameter keys have been submitted: {repeated}. Please ensure the request contains only one "
            "param value per param key."
        )


def validate_batch(metrics: PointColumns, params: Sequence[tuple[str, str]], tags: Sequence[tuple[str, str]]) -> None:
    """Checks a whole batch before anything of it is written: its sizes, every entry, and that no param comes twice."""
    _validate_count("metrics", len(metrics), limits.MAX_METRICS_PER_BATCH)
    _validate_count("params", len(params), limits.MAX_PARAMS_PER_BATCH)
    _validate_count("tags", len(tags), limits.MAX_TAGS_PER_BATCH)
    total = len(metrics) + len(params) + len(tags)
    _validate_count("metrics, params, and tags", total, limits.MAX_ENTITIES_PER_BATCH)
    if not _are_sound(metrics):
        for index in range(len(metrics)):
            validate_metric(metrics.point(index), f"metrics[{index}]")
    for index, (key, value) in enumerate(params):
        if not _is_sound_text(key, value, limits.MAX_PARAM_VALUE_LENGTH):
            validate_param(key, value, f"params[{index}]")
    for index, (key, value) in enumerate(tags):
        if not _is_sound_text(key, value, limits.MAX_TAG_VALUE_LENGTH):
            validate_tag(key, value, f"tags[{index}]")
    _validate_unique(params)
