"""Datasets, and the inputs and outputs of runs: the endpoints of this area."""

from minleaf_server.rest.endpoint import Endpoint, RawEndpoint

ENDPOINTS: tuple[Endpoint | RawEndpoint, ...] = ()
