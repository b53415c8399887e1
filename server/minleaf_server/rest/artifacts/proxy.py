"""`mlflow-artifacts/artifacts`: the proxied store as MLflow's client sees it, file by file."""

from starlette.types import Receive, Scope, Send

from minleaf_server.rest.artifacts import messages
from minleaf_server.rest.artifacts.download import send_file
from minleaf_server.rest.artifacts.listing import below_folder
from minleaf_server.rest.artifacts.request import body_parts, path_of
from minleaf_server.rest.endpoint import Endpoint, Parts, RawEndpoint, send_json
from minleaf_server.tracking import artifacts
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access


@access(Access.READ, On.ARTIFACT)
async def find(services: Services, message: messages.ListProxiedArtifacts) -> messages.ProxiedArtifacts | Parts:
    """List a folder of the proxied store, the root where none is named. The paths are bare names."""
    return below_folder(await artifacts.proxied(services).entries(message.path))


@access(Access.READ, On.ARTIFACT)
async def download(services: Services, scope: Scope, receive: Receive, send: Send) -> None:
    """Download a file of the proxied store."""
    await send_file(artifacts.proxied(services).at(path_of(scope)), scope, receive, send)


@access(Access.LOG, On.ARTIFACT)
async def upload(services: Services, scope: Scope, receive: Receive, send: Send) -> None:
    """Store the body as a file, over what was there. It is stored whole or not at all."""
    place = artifacts.proxied(services).at(path_of(scope))
    await place.repository.write(place.path, body_parts(receive))
    await send_json(send, 200, b"{}", [])


@access(Access.MANAGE, On.ARTIFACT)
async def delete(services: Services, scope: Scope, _receive: Receive, send: Send) -> None:
    """Remove a file or folder below the artifacts of one run, logged model or trace."""
    await artifacts.delete(services, path_of(scope))
    await send_json(send, 200, b"{}", [])


_FILES = "/2.0/mlflow-artifacts/artifacts/{path:artifact}"

ENDPOINTS: tuple[Endpoint | RawEndpoint, ...] = (
    Endpoint("GET", "/2.0/mlflow-artifacts/artifacts", find),
    RawEndpoint("GET", _FILES, download),
    RawEndpoint("PUT", _FILES, upload, takes_files=True),
    RawEndpoint("DELETE", _FILES, delete),
)
