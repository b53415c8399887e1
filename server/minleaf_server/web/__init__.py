"""What `rest` and `ui` share of HTTP: access policies and reading a request's body."""
