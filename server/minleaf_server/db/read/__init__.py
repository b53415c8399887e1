"""Reads, as functions of a connection."""
