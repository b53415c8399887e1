"""What Minleaf costs beside MLflow, FastTrackML, the bare database and a bare answer: docs/benchmarks.md."""
