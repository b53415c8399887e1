"""The whole server as one ASGI application: the gate, the routes of `rest` and `ui`, and how uvicorn runs them."""
