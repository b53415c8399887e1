"""The artifacts of a run by its id, wherever they lie: what MLflow's page asks for."""

from collections.abc import AsyncIterator

from starlette.types import Receive, Scope, Send

from minleaf_server.artifacts.paths import checked, checked_folder
from minleaf_server.errors import InvalidParameter
from minleaf_server.rest.artifacts import messages
from minleaf_server.rest.artifacts.download import send_file
from minleaf_server.rest.artifacts.listing import below_root
from minleaf_server.rest.artifacts.request import body_parts
from minleaf_server.rest.decode import decode_query
from minleaf_server.rest.endpoint import Endpoint, Parts, RawEndpoint, send_json
from minleaf_server.tracking import artifacts
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access

MAX_UPLOAD_BYTES = 10 * 2**20
"""MLflow's limit for a file that its page sends."""


@access(Access.READ, On.RUN)
async def find(services: Services, message: messages.ListRunArtifacts) -> messages.Artifacts | Parts:
    """List a folder of a run's artifacts. The answer is whole, so there is never a page token."""
    folder = checked_folder(message.path)  # Before the run is looked for, as in MLflow.
    root = await artifacts.of_run(services, message.run_id)
    return below_root(await root.entries(folder), folder, root.uri)


@access(Access.READ, On.RUN)
async def download(services: Services, scope: Scope, receive: Receive, send: Send) -> None:
    """Download a file of a run."""
    message = decode_query(scope["query_string"], messages.GetRunArtifact)
    path = checked(message.path)
    root = await artifacts.of_run(services, message.run_id)
    await send_file(root.at(path), scope, receive, send)


@access(Access.LOG, On.RUN)
async def upload(services: Services, scope: Scope, receive: Receive, send: Send) -> None:
    """Store the body, of at most 10 MB, as a file of a run. `run_uuid` and `path` stand in the query."""
    message = decode_query(scope["query_string"], messages.UploadRunArtifact)
    run_id = message.run_uuid or message.run_id
    for name, value in (("run_uuid", run_id), ("path", message.path)):
        if not value:
            raise InvalidParameter(f"Request must specify {name}.")
    path = checked(message.path)
    parts = body_parts(receive, MAX_UPLOAD_BYTES, _too_large)
    first = await anext(parts, b"")
    if not first:
        raise InvalidParameter("Request must specify data.")
    place = (await artifacts.of_run(services, run_id)).at(path)
    await place.repository.write(place.path, _joined(first, parts))
    await send_json(send, 200, b"{}", [])


def _too_large() -> InvalidParameter:
    return InvalidParameter("Artifact size is too large. Max size is 10MB.")


async def _joined(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in others:
        yield part


ENDPOINTS: tuple[Endpoint | RawEndpoint, ...] = (
    Endpoint("GET", "/2.0/mlflow/artifacts/list", find),
    RawEndpoint("GET", "/get-artifact", download),
    RawEndpoint("POST", "/2.0/mlflow/upload-artifact", upload, takes_files=True),
)
