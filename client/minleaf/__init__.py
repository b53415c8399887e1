"""Minleaf's client."""
