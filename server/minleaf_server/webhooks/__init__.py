"""Delivering webhooks: which addresses may be called, secrets, signatures, retries. No database here."""
