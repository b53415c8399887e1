"""The schedule, the vault, the signature, the subscriptions and the outcome, each by itself."""

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from minleaf_server.config import Settings, load
from minleaf_server.errors import InvalidState
from minleaf_server.webhooks import signature
from minleaf_server.webhooks.outcome import Outcome, judged, seconds_of
from minleaf_server.webhooks.schedule import Schedule
from minleaf_server.webhooks.sending import Answer
from minleaf_server.webhooks.subscriptions import Subscriptions, Target
from minleaf_server.webhooks.vault import Unreadable, Vault


def test_the_schedule_hands_out_what_is_due_first() -> None:
    schedule: Schedule[str] = Schedule(10, 100)
    for text, delay in (("late", 0.2), ("first", 0.0), ("second", 0.0), ("soon", 0.05)):
        assert schedule.put(text, 1, delay)
    assert [schedule.get() for _ in range(4)] == ["first", "second", "soon", "late"]


def test_the_schedule_is_bounded_by_number_and_size() -> None:
    schedule: Schedule[str] = Schedule(2, 10)
    assert schedule.put("a", 6)
    assert not schedule.put("b", 5)
    assert schedule.put("c", 4)
    assert not schedule.put("d", 0)
    assert [schedule.get(), schedule.get()] == ["a", "c"]
    assert schedule.put("e", 10)


def test_a_closed_schedule_hands_out_what_is_due_and_gives_back_the_rest() -> None:
    schedule: Schedule[str] = Schedule(10, 100)
    schedule.put("due", 1)
    schedule.put("later", 1, 60)
    assert schedule.close() == ["later"]
    assert not schedule.put("new", 1)
    assert [schedule.get(), schedule.get()] == ["due", None]
    assert schedule.drain() == []


def test_closing_wakes_who_waits() -> None:
    schedule: Schedule[str] = Schedule(10, 100)
    got: list[str | None] = ["nothing yet"]
    thread = threading.Thread(target=lambda: got.append(schedule.get()))
    thread.start()
    while schedule._idle == 0:
        time.sleep(0.001)
    schedule.close()
    thread.join(10)
    assert got[1:] == [None]


def test_something_that_is_due_earlier_wakes_who_waits_for_something_later() -> None:
    schedule: Schedule[str] = Schedule(10, 100)
    schedule.put("later", 1, 60)
    got: list[str | None] = []
    thread = threading.Thread(target=lambda: got.append(schedule.get()))
    thread.start()
    while schedule._idle == 0:
        time.sleep(0.001)
    schedule.put("now", 1)
    thread.join(10)
    assert got == ["now"]


def test_signature_against_a_value_made_elsewhere() -> None:
    """printf '%s' 'id.1700000000.{}' | openssl dgst -sha256 -hmac secret -binary | base64"""
    assert signature.sign("id", 1700000000, b"{}", "secret") == "v1,GBemBzTgbKoVEGKycqyY3615LbdJbhFLE1oQk+zZ+lo="


def test_unsigned_without_a_secret() -> None:
    names = [name for name, _ in signature.headers("id", 1, b"", None)]
    assert names == ["Content-Type", "User-Agent", "X-MLflow-Delivery-Id", "X-MLflow-Timestamp"]


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path / "data"))
    vault = Vault.open(settings)
    assert not (tmp_path / "data").exists()
    stored = vault.encrypt("whsec_é")
    file = tmp_path / "data" / "webhook.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["webhook.key"]
    assert "whsec" not in stored
    assert stored != vault.encrypt("whsec_é")
    assert Vault.open(settings).decrypt(stored) == "whsec_é"


def test_a_lost_key_is_told(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path))
    stored = Vault.open(settings).encrypt("s")
    (tmp_path / "webhook.key").unlink()
    with pytest.raises(Unreadable):
        Vault.open(settings).decrypt(stored)
    assert not (tmp_path / "webhook.key").exists()
    Vault.open(settings).encrypt("t")
    with pytest.raises(Unreadable):
        Vault.open(settings).decrypt(stored)


def test_a_given_key_wins_and_older_keys_still_decrypt(tmp_path: Path) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    stored = Vault((old,), None).encrypt("s")
    both = load({}, {"MINLEAF_DATA": str(tmp_path), "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": f"{new},{old}"})
    vault = Vault.open(both)
    assert vault.decrypt(stored) == "s"
    assert Fernet(new).decrypt(vault.encrypt("t")) == b"t"
    with pytest.raises(Unreadable):
        Vault((new,), None).decrypt(stored)
    assert list(tmp_path.iterdir()) == []


def test_servers_of_one_postgres_need_a_key_in_common(tmp_path: Path) -> None:
    shared = load({"backend_store_uri": "postgresql://u@h/d", "data": str(tmp_path)}, {})
    with pytest.raises(InvalidState, match="MINLEAF_WEBHOOK_SECRET_KEY"):
        Vault.open(shared).encrypt("s")
    with pytest.raises(Unreadable):
        Vault.open(shared).decrypt("gAAAA")
    assert list(tmp_path.iterdir()) == []


def test_the_key_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(Fernet.generate_key() + b"\n")
    settings = load({}, {"MINLEAF_WEBHOOK_SECRET_KEY_FILE": str(file)})
    assert settings.webhook_secret_key == (file.read_text().strip(),)


def test_subscriptions_are_remembered_for_a_while() -> None:
    now = [100.0]
    known = Subscriptions(60, lambda: now[0])
    target = Target("id", "https://example.com", "token")
    known.put("a.b", (target,), known.changes)
    known.put("nobody", (), known.changes)
    assert known.get("a.b") == (target,)
    assert known.get("nobody") == ()
    assert known.get("other") is None
    now[0] = 159.0
    assert known.get("nobody") == ()
    now[0] = 160.0
    assert known.get("nobody") is None
    assert "token" not in repr(target)


def test_what_was_read_before_a_change_is_not_remembered_after_it() -> None:
    known = Subscriptions(60)
    changes = known.changes
    known.forget()
    known.put("a.b", (), changes)
    assert known.get("a.b") is None


def test_subscriptions_without_a_cache() -> None:
    known = Subscriptions(0)
    known.put("a.b", (), known.changes)
    assert known.get("a.b") is None


@pytest.mark.parametrize("status", [200, 201, 204])
def test_delivered(status: int) -> None:
    assert judged(Answer(status, "ok", "")) == Outcome(status, "ok")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_worth_repeating(status: int) -> None:
    found = judged(Answer(status, "", ""))
    delays = [found.delay(calls) for calls in (1, 2, 3, 20)]
    for delay, least in zip(delays, (1, 2, 4, 60), strict=True):
        assert delay is not None
        assert least <= delay <= least * 1.5
    assert len({found.delay(1) for _ in range(5)}) > 1
    assert judged(Answer(status, "", "7")).delay(1) == 7
    assert judged(Answer(status, "", "601")).delay(1) is None


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 410, 501])
def test_not_worth_repeating(status: int) -> None:
    found = judged(Answer(status, "", "7"))
    assert str(status) in found.problem
    assert found.delay(1) is None


def test_retry_after() -> None:
    assert seconds_of("120") == 120
    assert seconds_of(" 0 ") == 0
    assert seconds_of("9" * 400) == 999_999_999
    for text in ("", "-1", "soon", "1.5", "٣", "Mon, 99 Foo 2026 00:00:00 GMT"):
        assert seconds_of(text) is None
    later = datetime.now(UTC) + timedelta(hours=1)
    assert 3590 < (seconds_of(format_datetime(later, usegmt=True)) or 0) <= 3600
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0
