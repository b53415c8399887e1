"""The API over a real store, called without a socket."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from minleaf_server.app.assembly import application
from minleaf_server.db.store import Store
from tests.support.services import services_over

API = "/api/2.0/mlflow"


class Api:
    """Calls of the API. A path is given below `/api/2.0/mlflow/`, or whole."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(
        self, path: str, body: object = None, *, raw: bytes | None = None, content_type: str | None = "application/json"
    ) -> httpx.Response:
        headers = {} if content_type is None else {"content-type": content_type}
        content = json.dumps(body).encode() if raw is None else raw
        return await self.client.post(_whole(path), content=content, headers=headers)

    async def get(self, path: str, **arguments: Any) -> httpx.Response:
        return await self.client.get(_whole(path), params=arguments)

    async def ok(self, path: str, body: object = None, **arguments: Any) -> Any:
        """The answer to a call that must succeed: a POST with `body`, or a GET with `arguments`."""
        response = await (self.get(path, **arguments) if body is None else self.post(path, body))
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/json"
        return response.json()

    async def refused(self, path: str, body: object = None, **arguments: Any) -> tuple[int, str, str]:
        """Status, error code and message of a call that must fail."""
        response = await (self.get(path, **arguments) if body is None else self.post(path, body))
        return refusal(response)

    async def run(self, experiment_id: str = "0", **fields: Any) -> str:
        """The id of a new run."""
        made = await self.ok("runs/create", {"experiment_id": experiment_id, **fields})
        run_id: str = made["run"]["info"]["run_id"]
        return run_id

    async def data(self, run_id: str) -> dict[str, Any]:
        """The data of a run: metrics, params and tags, each by key."""
        found = (await self.ok("runs/get", run_id=run_id))["run"]["data"]
        return {name: {entry["key"]: entry["value"] for entry in entries} for name, entries in found.items()}


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """Status, error code and message of an answer that must be an error in MLflow's shape."""
    assert response.status_code >= 400, response.text
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert set(answer) == {"error_code", "message"}
    return response.status_code, answer["error_code"], answer["message"]


def _whole(path: str) -> str:
    return path if path.startswith("/") else f"{API}/{path}"


@pytest.fixture
async def api(store: Store) -> AsyncIterator[Api]:
    transport = httpx.ASGITransport(application(services_over(store)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:5000") as client:
        yield Api(client)
