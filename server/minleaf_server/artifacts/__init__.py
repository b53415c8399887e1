"""Where artifacts are kept: a protocol, the stores that obey it, and one guard for every path."""
