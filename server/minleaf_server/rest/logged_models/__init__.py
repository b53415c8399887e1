"""MLflow's logged models: the endpoints of this area."""

from minleaf_server.rest.endpoint import Endpoint, RawEndpoint

ENDPOINTS: tuple[Endpoint | RawEndpoint, ...] = ()
