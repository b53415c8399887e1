"""The model registry: registered models, prompts, their versions, tags and aliases."""

from minleaf_server.rest.registry import model_versions, registered_models

ENDPOINTS = (*registered_models.ENDPOINTS, *model_versions.ENDPOINTS)
