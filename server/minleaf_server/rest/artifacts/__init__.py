"""Artifacts: the endpoints of this area."""

from minleaf_server.rest.artifacts import models, presigned, proxy, runs
from minleaf_server.rest.endpoint import Endpoint, RawEndpoint

ENDPOINTS: tuple[Endpoint | RawEndpoint, ...] = (
    *proxy.ENDPOINTS,
    *runs.ENDPOINTS,
    *models.ENDPOINTS,
    *presigned.ENDPOINTS,
)
