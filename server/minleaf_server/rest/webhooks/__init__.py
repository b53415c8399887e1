"""Webhooks: the endpoints of this area."""

from minleaf_server.rest.webhooks.endpoints import ENDPOINTS

__all__ = ["ENDPOINTS"]
