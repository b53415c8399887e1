"""Users and permissions: the endpoints of this area."""

from minleaf_server.rest.auth import form, grants, users
from minleaf_server.rest.endpoint import Endpoint, RawEndpoint

ENDPOINTS: tuple[Endpoint | RawEndpoint, ...] = (*users.ENDPOINTS, *form.ENDPOINTS, *grants.ENDPOINTS)
