"""The secrets of webhooks at rest: encrypted with a key that is not in the database."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING

from minleaf_server.config import Settings
from minleaf_server.errors import InvalidState

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

FILE_NAME = "webhook.key"


class Unreadable(Exception):
    """The secret was encrypted with another key than this server has."""


class Vault:
    """Encrypts with the first of `keys`, else with the key in `file`, which is made when it is first needed.

    Without either, as on Postgres, where every server needs the same key, nothing can be encrypted.
    """

    def __init__(self, keys: Sequence[str], file: Path | None) -> None:
        self._keys = list(keys)
        self._file = file
        self._lock = threading.Lock()

    @classmethod
    def open(cls, settings: Settings) -> "Vault":
        """The vault of a server."""
        shared = settings.backend_store_uri.startswith("postgres")
        return cls(settings.webhook_secret_key, None if shared else Path(settings.data) / FILE_NAME)

    def encrypt(self, secret: str) -> str:
        """The secret as it is stored. Raises InvalidState where this server has no key."""
        return self._cipher(make=True).encrypt(secret.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """The secret itself. Raises Unreadable."""
        from cryptography.fernet import InvalidToken

        try:
            return self._cipher(make=False).decrypt(stored).decode()
        except (InvalidToken, InvalidState):
            raise Unreadable("The secret of the webhook was encrypted with another key than this server has.") from None

    def _cipher(self, make: bool) -> "MultiFernet":
        from cryptography.fernet import Fernet, MultiFernet

        with self._lock:
            if not self._keys and self._file is not None and (make or self._file.exists()):
                self._keys = [_read_or_make(self._file, Fernet.generate_key())]
            keys = self._keys
        if not keys:
            raise InvalidState(
                "This server cannot keep secrets of webhooks: its operator has to set webhook_secret_key "
                "(MINLEAF_WEBHOOK_SECRET_KEY or MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY), the same on every server of "
                "the database."
            )
        return MultiFernet([Fernet(key) for key in keys])


def _read_or_make(file: Path, new_key: bytes) -> str:
    """The key in the file. Where there is none, a new file with `new_key` appears whole, for its owner only."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        descriptor, name = mkstemp(dir=file.parent, prefix=f"{file.name}.")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(new_key + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    return file.read_text(encoding="ascii").strip()
