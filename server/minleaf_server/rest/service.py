"""What the server says of itself to MLflow's client."""

from minleaf_server.rest import messages, replies
from minleaf_server.rest.endpoint import Endpoint
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, access


@access(Access.PUBLIC)
async def server_info(_services: Services, message: messages.Nothing) -> replies.ServerInfo:
    """The optional features of MLflow that this server has: none of them."""
    return replies.ServerInfo(
        store_type="SqlStore",
        workspaces_enabled=False,
        trace_archival_enabled=False,
        multipart_uploads_enabled=False,
        multipart_downloads_enabled=False,
        presigned_upload_run_id_supported=False,
        presigned_upload_model_id_supported=False,
        features_enabled={"gateway": False},
    )


ENDPOINTS = (Endpoint("GET", "/3.0/mlflow/server-info", server_info),)
