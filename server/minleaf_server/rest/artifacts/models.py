"""The artifacts of registered model versions and of logged models."""

from starlette.types import Receive, Scope, Send

from minleaf_server.artifacts.paths import checked, checked_folder
from minleaf_server.entities.registry_rules import parse_version
from minleaf_server.rest.artifacts import messages
from minleaf_server.rest.artifacts.download import send_file
from minleaf_server.rest.artifacts.listing import below_root
from minleaf_server.rest.decode import decode_query
from minleaf_server.rest.endpoint import Endpoint, Parts, RawEndpoint
from minleaf_server.tracking import artifacts
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access


@access(Access.READ, On.REGISTERED_MODEL)
async def download_of_version(services: Services, scope: Scope, receive: Receive, send: Send) -> None:
    """Download a file of a model version."""
    message = decode_query(scope["query_string"], messages.GetModelVersionArtifact)
    path = checked(message.path)
    root = await artifacts.of_model_version(services, message.name, parse_version(message.version))
    await send_file(root.at(path), scope, receive, send)


@access(Access.READ, On.LOGGED_MODEL)
async def download_of_logged_model(services: Services, scope: Scope, receive: Receive, send: Send) -> None:
    """Download a file of a logged model."""
    message = decode_query(scope["query_string"], messages.GetLoggedModelArtifact, scope["path_params"])
    path = checked(message.artifact_file_path)
    root = await artifacts.of_logged_model(services, message.model_id)
    await send_file(root.at(path), scope, receive, send)


@access(Access.READ, On.LOGGED_MODEL)
async def find_of_logged_model(
    services: Services, message: messages.ListLoggedModelArtifacts
) -> messages.Artifacts | Parts:
    """List a folder of a logged model's artifacts. The answer is whole, so there is never a page token."""
    folder = checked_folder(message.artifact_directory_path)
    root = await artifacts.of_logged_model(services, message.model_id)
    return below_root(await root.entries(folder), folder, root.uri)


_LOGGED_MODEL = "/2.0/mlflow/logged-models/{model_id}/artifacts"

ENDPOINTS: tuple[Endpoint | RawEndpoint, ...] = (
    RawEndpoint("GET", "/model-versions/get-artifact", download_of_version),
    # MLflow's own clients and tests write it with two slashes.
    RawEndpoint("GET", "//model-versions/get-artifact", download_of_version),
    RawEndpoint("GET", f"{_LOGGED_MODEL}/files", download_of_logged_model),
    Endpoint("GET", f"{_LOGGED_MODEL}/directories", find_of_logged_model),
)
