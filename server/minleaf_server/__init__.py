"""Minleaf's server: an experiment tracker that speaks MLflow's REST API."""
