"""What the server says of itself to MLflow's client."""

from minleaf_server.rest import messages, replies
from minleaf_server.rest.endpoint import Endpoint
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, access


@access(Access.READ)
async def server_info(_services: Services, message: messages.Nothing) -> replies.ServerInfo:
    """The optional features of MLflow that this server has.

    Uploads and downloads past the server, straight to an S3 store, are there for clients that are told to use them
    (MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD and _DOWNLOAD). They are not offered to others, because MLflow's client would
    then take that way always, and fail where it cannot reach the store.
    """
    return replies.ServerInfo(
        store_type="SqlStore",
        workspaces_enabled=False,
        trace_archival_enabled=False,
        multipart_uploads_enabled=False,
        multipart_downloads_enabled=False,
        presigned_upload_run_id_supported=True,
        presigned_upload_model_id_supported=True,
        features_enabled={"gateway": False},
    )


ENDPOINTS = (Endpoint("GET", "/3.0/mlflow/server-info", server_info),)
