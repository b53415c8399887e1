"""MLflow's logged models: the endpoints of this area."""

from minleaf_server.rest.logged_models.endpoints import ENDPOINTS

__all__ = ["ENDPOINTS"]
