"""Writes, as functions of a transaction."""
