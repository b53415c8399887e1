"""Delivering webhooks: which addresses may be called, signatures, retries. No database and no MLflow shapes here."""
