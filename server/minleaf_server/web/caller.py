"""The check of rights: may the caller do what a route does with what the request names?

A route says which right it needs and what it is about (`web/policy.py`); here stands how the ids in the request lead to
experiments and registered models, where permissions are. An id that nothing has is treated as one on which nothing was
granted, so that the answer does not tell whether it exists. On a server without a login nothing is checked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Scope

from minleaf_server.artifacts.addresses import is_below
from minleaf_server.db.read import auth as read
from minleaf_server.entities.model_source import LoggedModel, RegisteredVersion, RunArtifact, StorePath, read_source
from minleaf_server.entities.permission import Permission, Resource
from minleaf_server.errors import InvalidParameter, Unauthenticated
from minleaf_server.tracking.permissions import Caller, caller, denied, experiment_name
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, policy_of, subject_of

NEEDED = {
    Access.READ: Permission.READ,
    Access.LOG: Permission.EDIT,
    Access.EDIT: Permission.EDIT,
    Access.MANAGE: Permission.MANAGE,
}
FIELDS: Mapping[On, tuple[str, ...]] = {
    On.EXPERIMENT: ("experiment_name", "experiment_ids", "experiment_id"),
    On.RUN: ("run_id", "run_ids"),
    On.LOGGED_MODEL: ("model_id",),
    On.REGISTERED_MODEL: ("name",),
    On.ARTIFACT: ("artifact_path", "path"),
    On.USER: ("username",),
}
"""Where a message names what its policy is about. Of an artifact the first of the fields that it has counts."""
IN_QUERY: Mapping[On, tuple[str, ...]] = {
    On.EXPERIMENT: ("experiment_id", "experimentId"),
    On.RUN: ("run_id", "run_uuid", "runId", "runUuid", "run"),
    On.LOGGED_MODEL: ("model_id", "modelId"),
    On.REGISTERED_MODEL: ("name",),
    On.ARTIFACT: ("path",),
}
"""Where a request without a message may name it. Every value counts, whichever of them the handler reads."""


async def permit(services: Services, endpoint: Any, message: Any) -> None:
    """Raises PermissionDenied where the caller may not do this, Unauthenticated where nobody is known.

    Of a reading request about several experiments those that the caller may not read are taken out of the message.
    """
    who = _caller(services)
    if who is None:
        return
    on = _subject(endpoint, message)
    needed = _needed(who, policy_of(endpoint), on)
    if needed is None:
        return
    if on is On.USER:
        if message.username != who.user.name:
            raise denied()
        return
    several = getattr(message, "experiment_ids", None)
    if on is On.EXPERIMENT and several is not None and needed is Permission.READ:
        message.experiment_ids = await _readable(who, several)
    elif isinstance(name := getattr(message, "experiment_name", None), str):
        await _require(who, needed, on, [await _by_name(who, name)])
    else:
        await _require(who, needed, on, _named(on, message))
    await _require_linked(who, needed, on, message)
    if on is On.REGISTERED_MODEL:
        await _require_origins(services, who, message)


async def permit_raw(services: Services, endpoint: Any, scope: Scope) -> None:
    """As `permit`, for a request that is no message: what it names stands in its path and its query."""
    who = _caller(services)
    if who is None:
        return
    on = subject_of(endpoint)
    needed = _needed(who, policy_of(endpoint), on)
    if needed is None:
        return
    names = IN_QUERY[on]
    in_path = [str(value) for name, value in (scope.get("path_params") or {}).items() if name in names]
    query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    await _require(who, needed, on, [*in_path, *(value for name, value in query if name in names)])


def understands(endpoint: Any) -> bool:
    """Whether this module knows how a request to the endpoint names what its policy is about."""
    on, message = subject_of(endpoint), getattr(endpoint, "request", None)
    if on is On.SERVER or policy_of(endpoint) in (Access.PUBLIC, Access.ADMIN):
        return True
    if message is None:
        return on in IN_QUERY
    return not set(FIELDS[on]).isdisjoint(message.__struct_fields__)


def _subject(endpoint: Any, message: Any) -> On:
    """What a request is about. One about a run may name a logged model in its place (`presigned-upload-url`)."""
    on = subject_of(endpoint)
    in_its_place = on is On.RUN and getattr(message, "run_id", None) == "" and _text(message, "model_id")
    return On.LOGGED_MODEL if in_its_place else on


def _caller(services: Services) -> Caller | None:
    """Who asks. A server with a login that does not know has lost the layer that finds it out: nothing passes."""
    who = caller()
    if who is None and services.authority is not None:
        raise Unauthenticated("You are not authenticated.")
    return who


def _needed(who: Caller, policy: Access | None, on: On) -> Permission | None:
    """The permission to ask for; None where nothing more is to be asked. Raises PermissionDenied.

    What is about the server as a whole any user may use, but not manage.
    """
    if who.user.is_admin or policy is Access.PUBLIC:
        return None
    if policy is None or policy is Access.ADMIN or (on is On.SERVER and policy is Access.MANAGE):
        raise denied()
    return None if on is On.SERVER else NEEDED[policy]


def _named(on: On, message: Any) -> list[str]:
    """The ids and names in a message that its policy is about."""
    found: list[str] = []
    for field in FIELDS[on]:
        value = getattr(message, field, None)
        if value is None:
            continue
        found += value if isinstance(value, list) else [value]
        if on is On.ARTIFACT:
            break
    return found


async def _readable(who: Caller, experiment_ids: Sequence[str]) -> list[str]:
    """Those that the caller may read. Raises PermissionDenied where that is none of them: no answer would be right."""
    levels = {one: await who.level(Resource.EXPERIMENT, experiment_name(one)) for one in experiment_ids}
    found = [one for one in experiment_ids if levels[one] >= Permission.READ]
    if not found:
        raise denied()
    return found


async def _require(who: Caller, needed: Permission, on: On, named: Iterable[str]) -> None:
    """Raises PermissionDenied where the caller has less on one of them, or where nothing is named."""
    named = list(dict.fromkeys(named))
    if on is On.REGISTERED_MODEL:
        levels = [await who.level(Resource.REGISTERED_MODEL, name) for name in named]
    else:
        experiments = await _experiments(who, on, named)
        levels = [await who.level(Resource.EXPERIMENT, one) for one in experiments]
    if not levels or min(levels) < needed:
        raise denied()


async def _by_name(who: Caller, name: str) -> str:
    """The id of the experiment of this name, as permissions name it; "" where there is none."""
    found = await who.authority.store.read(lambda conn: read.experiment_named(conn, name))
    return "" if found is None else str(found)


async def _experiments(who: Caller, on: On, named: Sequence[str]) -> list[str]:
    """The experiments that these belong to, as permissions name them; "" for what belongs to none."""
    authority = who.authority
    if on is On.EXPERIMENT:
        # A run that is made without an experiment goes to the default one.
        return [experiment_name(one or "0") for one in named]
    if on is On.ARTIFACT:
        return [_of_path(one) for one in named]
    if not named:
        return []
    find = authority.experiments_of_runs if on is On.RUN else authority.experiments_of_models
    return ["" if one is None else str(one) for one in await find(named)]


def _of_path(path: str) -> str:
    """The experiment whose folder of the proxied store a path is in; "" for a path that is in none."""
    first = path.lstrip("/").partition("/")[0]
    return first if first.isascii() and first.isdigit() and str(int(first[:18])) == first else ""


async def _require_linked(who: Caller, needed: Permission, on: On, message: Any) -> None:
    """Check what a message mentions besides: models that its metrics are of, what a version is made from."""
    models = [one.model_id for one in getattr(message, "metrics", None) or () if getattr(one, "model_id", "")]
    own = _text(message, "model_id")
    if on is On.RUN and own:
        models.append(own)
    if models:
        await _require(who, needed, On.LOGGED_MODEL, models)
    linked = [one.model_id for one in getattr(message, "models", None) or () if getattr(one, "model_id", "")]
    if linked:
        await _require(who, Permission.READ, On.LOGGED_MODEL, linked)


async def _require_origins(services: Services, who: Caller, message: Any) -> None:
    """Check what a new model version is made from: its files could be read through the version."""
    for of, name in _origins(message):
        await _require(who, Permission.READ, of, [name])
    address = services.artifacts.real_address(_text(message, "source"))
    if address is None:
        return
    if experiments := await _experiments_at(services, address):
        await _require(who, Permission.READ, On.EXPERIMENT, experiments)
    else:  # As of an experiment that does not exist.
        await _require(who, Permission.READ, On.ARTIFACT, [""])


async def _experiments_at(services: Services, address: str) -> list[str]:
    """The experiments whose artifacts are in a place of a store: of those around it the innermost, and all within."""
    located = await services.store.read(read.experiment_locations)
    places = [(str(one), place) for one, uri in located if (place := services.artifacts.real_address(uri)) is not None]
    around = [(len(place), one) for one, place in places if is_below(address, place)]
    within = [one for one, place in places if is_below(place, address)]
    return [*within, *(one for length, one in around if length == max(around)[0])]


def _origins(message: Any) -> Iterator[tuple[On, str]]:
    """The run, the model or the experiment's folder that a new model version says it is made from."""
    for field, on in (("run_id", On.RUN), ("model_id", On.LOGGED_MODEL)):
        if value := _text(message, field):
            yield on, value
    try:
        source = read_source(_text(message, "source"))
    except InvalidParameter:
        return  # The endpoint refuses it, or it is the placeholder of a prompt, which names nothing.
    if isinstance(source, StorePath):
        yield On.ARTIFACT, "/".join(source.parts)
    elif isinstance(source, RunArtifact):
        yield On.RUN, source.run_id
    elif isinstance(source, LoggedModel):
        yield On.LOGGED_MODEL, source.model_id
    elif isinstance(source, RegisteredVersion):
        yield On.REGISTERED_MODEL, source.name


def _text(message: Any, field: str) -> str:
    """The text in a field; "" where there is no such field or no text in it."""
    value = getattr(message, field, "")
    return value if isinstance(value, str) else ""
