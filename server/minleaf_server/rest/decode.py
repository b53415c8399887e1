"""From the bytes of a request to its message.

Nearly every request takes the fast path: msgspec decodes it and checks it against the message's declaration in one
go. What that refuses takes the slow path, which accepts what MLflow's older and odder clients send (NaN literals, a
byte order mark, UTF-16, JSON inside a JSON string, `runId` for `run_id`, null for missing) and otherwise says in
MLflow's words what is wrong. Both paths check a value by the same declaration, by msgspec.
"""

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, get_args, get_origin
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec
from msgspec.structs import fields
from starlette.types import Scope

from minleaf_server.entities.validation import invalid_value, missing_value, validate_text
from minleaf_server.errors import InvalidParameter
from minleaf_server.rest.messages import Request

Message = TypeVar("Message", bound=Request)

SEE_DOCS = " See the API docs for more information about request parameters."
_ESCAPED_NUL = b"\\u0000"
_NOTHING: Mapping[str, str] = {}


def check_content_type(header: bytes | None) -> None:
    """A body must be declared as JSON: a web page of another site can send any other type without being asked first."""
    if header == b"application/json":
        return
    if not header:
        raise InvalidParameter("Bad Request. Content-Type header is missing.")
    if header.partition(b";")[0].strip().lower() != b"application/json":
        raise InvalidParameter("Bad Request. Content-Type must be one of ['application/json'].")


@lru_cache
def _decoder(kind: type[Request]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, strict=False)


def decode_body(body: bytes, kind: type[Message], in_path: Mapping[str, str] = _NOTHING) -> Message:
    """The message in a JSON body; the fields of the path count more than those of the body.

    Raises InvalidParameter, and nothing else, for whatever bytes it is given.
    """
    # Looking for one byte takes no time, looking for six takes a third of what the decoding does.
    if not in_path and (b"\\" not in body or _ESCAPED_NUL not in body):
        try:
            message: Message = _decoder(kind).decode(body)
            return message
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
    return convert({**_json_object(body), **in_path}, kind)


def decode_path(scope: Scope) -> Mapping[str, str]:
    """The variables in the path of a request. Raises InvalidParameter where the path is no UTF-8.

    The router has decoded them already, but with a replacement for what is no UTF-8, which would be another name.
    """
    in_path: Mapping[str, str] = scope.get("path_params") or _NOTHING
    if in_path:
        try:
            unquote_to_bytes(scope.get("raw_path", b"")).decode()
        except UnicodeDecodeError:
            raise InvalidParameter("Invalid path") from None
    return in_path


def decode_query(query: bytes, kind: type[Message], in_path: Mapping[str, str] = _NOTHING) -> Message:
    """The message in a query string and the path.

    A list is a repeated argument; of another argument the first value counts.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise InvalidParameter("The query of the address is not UTF-8 in percent-encoding.") from None
    lists = {field.name for field in _plan(kind) if _plain(field.declared) is list}
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in lists:
            values.setdefault(name, []).append(value)
        else:
            values.setdefault(name, value)
    return convert({**values, **in_path}, kind)


def _json_object(body: bytes) -> dict[str, Any]:
    """The object in the body. An empty body and null count as an empty object, as in MLflow."""
    value = _json_value(body) if body.strip() else None
    if isinstance(value, str):
        value = _json_value(value)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidParameter(f"The body of the request must be a JSON object; it is of type '{_type_name(value)}'.")
    return value


def _json_value(text: bytes | str) -> Any:
    try:
        return json.loads(text, parse_float=_finite)
    except RecursionError:
        raise InvalidParameter("The body of the request is nested too deeply.") from None
    except UnicodeDecodeError:
        raise InvalidParameter("The body of the request is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise InvalidParameter(f"The body of the request is not valid JSON: {error}") from None
    except ValueError:
        raise InvalidParameter("The body of the request is not valid JSON: a number has too many digits.") from None


class _Overflow(str):
    """The digits of a number that is too large for a double."""

    __slots__ = ()


def _finite(digits: str) -> float | _Overflow:
    """A number too large for a double is kept apart, so that it is refused where it stands and not infinity."""
    number = float(digits)
    return number if math.isfinite(number) else _Overflow(digits)


class _Field(NamedTuple):
    """How one field of a message is read. `camel` is the name that protocol buffers also give it in JSON."""

    name: str
    camel: str
    required: bool
    declared: Any


@lru_cache
def _plan(kind: type[Request]) -> tuple[_Field, ...]:
    return tuple(_Field(field.name, _camel(field.name), field.required, field.type) for field in fields(kind))


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def convert(values: Mapping[str, Any], kind: type[Message], path: str = "") -> Message:
    """The message with these fields. `path` is the place of the values in the request, such as `metrics[3]`."""
    arguments: dict[str, Any] = {}
    for field in _plan(kind):
        value = _value_of(values, field)
        name = f"{path}.{field.name}" if path else field.name
        if value is None or (field.required and value in ("", [])):
            if field.required:
                raise InvalidParameter(str(missing_value(name)) + SEE_DOCS)
            continue
        arguments[field.name] = _converted(value, field.declared, name)
    return kind(**arguments)


def _value_of(values: Mapping[str, Any], field: _Field) -> Any:
    name, camel = field.name, field.camel
    if camel != name and name in values and camel in values:
        raise InvalidParameter(f"Request specifies both '{name}' and '{camel}'; provide only one of them.")
    value = values.get(name, values.get(camel))
    if value is None and name == "run_id" and field.required:
        return values.get("run_uuid", values.get("runUuid"))
    return value


def _converted(value: Any, declared: Any, path: str) -> Any:
    if isinstance(declared, type) and issubclass(declared, Request):
        return _entry(value, declared, path)
    if entry := _entry_of(declared):
        if not isinstance(value, list):
            raise _wrong_type(path, value)
        return [_entry(item, entry, f"{path}[{index}]") for index, item in enumerate(value)]
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, _Overflow):
            raise _wrong_type(path, text)
        if isinstance(text, str):
            validate_text(text, path)
    try:
        return msgspec.convert(value, declared, strict=False)
    except (msgspec.ValidationError, OverflowError):
        raise _wrong_type(path, value) from None


def _entry(item: Any, kind: type[Request], path: str) -> Request:
    if not isinstance(item, dict):
        raise _wrong_type(path, item)
    return convert(item, kind, path)


def _plain(declared: Any) -> Any:
    """The type itself, without what is only said about it: `list` of `Annotated[list[str], …]`."""
    while hasattr(declared, "__metadata__"):
        declared = declared.__origin__
    return get_origin(declared) or declared


def _entry_of(declared: Any) -> type[Request] | None:
    """The message type of a list of messages."""
    if get_origin(declared) is list:
        (item,) = get_args(declared)
        if isinstance(item, type) and issubclass(item, Request):
            return item
    return None


def _type_name(value: Any) -> str:
    return "float" if isinstance(value, _Overflow) else type(value).__name__


def _wrong_type(path: str, value: Any) -> InvalidParameter:
    reason = f" Hint: Value was of type '{_type_name(value)}'."
    return InvalidParameter(str(invalid_value(path, value, reason)) + SEE_DOCS)
