"""The API over one kept connection, for tests that send very many requests: MLflow's client costs ten times as much."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

API = "/api/2.0/mlflow"
ANSWER_SECONDS_MAX = 60


class Client:
    """One connection to a server, opened again after it broke."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS_MAX)

    def post(self, path: str, body: Any) -> tuple[int, bytes, str]:
        """Status, body and Retry-After of the answer. Raises OSError or HTTPException where none came."""
        return self._ask("POST", path, json.dumps(body))

    def get(self, path: str) -> tuple[int, bytes, str]:
        """As `post`."""
        return self._ask("GET", path, None)

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, bytes, str]:
        try:
            self._connection.request(method, API + path, body, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            return answer.status, answer.read(), answer.getheader("Retry-After", "")
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()
