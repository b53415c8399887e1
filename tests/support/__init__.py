"""What several tests need: a running server, a browser."""
