"""MLflow's logged models with their params, tags and metrics."""
