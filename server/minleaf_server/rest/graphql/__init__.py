"""The GraphQL endpoint that MLflow's page uses: the endpoints of this area."""

from minleaf_server.rest.endpoint import Endpoint, RawEndpoint

ENDPOINTS: tuple[Endpoint | RawEndpoint, ...] = ()
