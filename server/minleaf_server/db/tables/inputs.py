"""Datasets, and what a run read and made: its inputs and outputs."""
