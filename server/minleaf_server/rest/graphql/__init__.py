"""The GraphQL endpoint that MLflow's page uses: `POST /graphql`."""

from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive, Scope, Send

from minleaf_server.errors import InvalidParameter
from minleaf_server.rest.decode import check_content_type
from minleaf_server.rest.endpoint import Endpoint, RawEndpoint, send_json
from minleaf_server.tracking.services import Services
from minleaf_server.web.body import read_body
from minleaf_server.web.policy import Access, On, access

MAX_QUERY_BYTES = 256 * 2**10


class Asked(msgspec.Struct):
    """The body of a GraphQL request."""

    query: str
    variables: dict[str, object] | None = None
    operationName: str | None = None  # noqa: N815, the protocol's name


@access(Access.READ, On.SERVER)
async def graphql(services: Services, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a query of MLflow's GraphQL schema. Each field needs the rights of the endpoint that answers it."""
    # GraphQL takes a tenth of a second to import, and most servers are never asked in it.
    from minleaf_server.rest.graphql import execute

    asked = _read(await _text(scope, receive))
    answer = await execute.run(services, asked.query, asked.variables, asked.operationName)
    await send_json(send, 200, msgspec.json.encode(answer), [])


async def _text(scope: Scope, receive: Receive) -> bytes:
    if scope["method"] != "GET":
        check_content_type(next((value for name, value in scope["headers"] if name == b"content-type"), None))
        return await read_body(receive, MAX_QUERY_BYTES)
    fields: dict[str, object] = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    if "variables" in fields:
        fields["variables"] = msgspec.Raw(str(fields["variables"]).encode())
    return msgspec.json.encode(fields)


def _read(text: bytes) -> Asked:
    try:
        return msgspec.json.decode(text, type=Asked)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise InvalidParameter(
            "The body of a GraphQL request is a JSON object with the text 'query', and with 'variables' (an object) "
            "and 'operationName' (a text) where the query needs them."
        ) from None


ENDPOINTS: tuple[Endpoint | RawEndpoint, ...] = (
    RawEndpoint("POST", "/graphql", graphql),
    RawEndpoint("GET", "/graphql", graphql),
)
