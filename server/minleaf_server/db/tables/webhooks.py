"""Webhooks and the events they ask for."""
