"""Sends webhooks from threads of its own, so that no request waits for a stranger's server."""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from minleaf_server.config import Settings
from minleaf_server.errors import InvalidParameter, Unavailable
from minleaf_server.webhooks import signature
from minleaf_server.webhooks.addresses import Refused, Rule
from minleaf_server.webhooks.outcome import Outcome, judged
from minleaf_server.webhooks.schedule import Schedule
from minleaf_server.webhooks.subscriptions import Subscriptions, Target
from minleaf_server.webhooks.vault import Unreadable, Vault

if TYPE_CHECKING:
    from minleaf_server.webhooks.sending import Sender

log = logging.getLogger(__name__)

WAITING_MAX = 10_000
WAITING_BYTES_MAX = 64 * 2**20
CLOSE_SECONDS = 5.0
_SAY_AGAIN_SECONDS = 60.0


@dataclass(slots=True)
class _Delivery:
    target: Target
    event: str
    body: bytes
    retries: int
    done: "Future[Outcome] | None" = None
    id: str = field(default_factory=lambda: str(uuid4()))
    calls: int = 0


class Courier:
    """A bounded queue of deliveries and a few threads, which begin with the first delivery.

    `rule` says which addresses may be called, `vault` keeps the secrets, `subscriptions` remembers who is to be told.
    """

    def __init__(self, rule: Rule, vault: Vault, subscriptions: Subscriptions, settings: Settings) -> None:
        self.rule = rule
        self.vault = vault
        self.subscriptions = subscriptions
        self._settings = settings
        self._sender: Sender | None = None
        self._threads: list[threading.Thread] = []
        self._schedule: Schedule[_Delivery] = Schedule(WAITING_MAX, WAITING_BYTES_MAX)
        self._lock = threading.Lock()
        self._closed = False
        self._dropped = 0
        self._said = float("-inf")

    @classmethod
    def open(cls, settings: Settings) -> "Courier":
        """A courier with the rules of the settings."""
        subscriptions = Subscriptions(settings.webhook_cache_seconds)
        return cls(Rule.of(settings), Vault.open(settings), subscriptions, settings)

    def send(self, targets: Sequence[Target], event: str, body: bytes) -> None:
        """Call every target soon, and again where that is worth it. Returns at once; what finds no room is dropped."""
        for target in targets:
            self._put(_Delivery(target, event, body, self._settings.webhook_retries))

    def call(self, target: Target, event: str, body: bytes) -> "Future[Outcome]":
        """Call the target once, soon. Raises Unavailable where too much is waiting."""
        done: Future[Outcome] = Future()
        if not self._put(_Delivery(target, event, body, 0, done)):
            raise Unavailable("More webhooks are waiting to be called than the server takes.", 5)
        return done

    def close(self) -> None:
        """Make the calls that are due, within a few seconds; then stop. What is not delivered is told in the log."""
        with self._lock:
            self._closed = True
            threads = list(self._threads)
        left = self._schedule.close()
        end = time.monotonic() + CLOSE_SECONDS
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        left += self._schedule.drain()
        for delivery in left:
            if delivery.done:
                delivery.done.cancel()
        count = len(left) + self._dropped + sum(thread.is_alive() for thread in threads)
        if count:
            log.warning("webhooks were not delivered: the server stops", extra=_fields(count=count))

    def _put(self, delivery: _Delivery, delay: float = 0.0) -> bool:
        kept = self._schedule.put(delivery, len(delivery.body), delay)
        with self._lock:
            if not kept:
                self._dropped += 1
                self._say_dropped()
            elif self._schedule.wants_a_thread and len(self._threads) < self._settings.webhook_threads:
                self._begin_thread()
        return kept

    def _begin_thread(self) -> None:
        if not self._closed:
            # A daemon, so that a receiver that does not answer cannot keep the server from ending.
            thread = threading.Thread(target=self._work, name=f"webhook-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _say_dropped(self) -> None:
        """One line now and then, with the number, however many events there are."""
        if not self._closed and time.monotonic() - self._said > _SAY_AGAIN_SECONDS:
            log.warning("webhooks were dropped: too many are waiting", extra=_fields(count=self._dropped))
            self._said = time.monotonic()
            self._dropped = 0

    def _work(self) -> None:
        while (delivery := self._schedule.get()) is not None:
            if delivery.done and not delivery.done.set_running_or_notify_cancel():
                continue  # Whoever asked has gone away.
            try:
                outcome = self._call(delivery)
            except Exception as error:
                log.error("a webhook could not be called", exc_info=error, extra=_fields(webhook=delivery.target.id))
                outcome = Outcome(problem="The server failed to call the webhook. Its log says why.")
            self._settle(delivery, outcome)

    def _settle(self, delivery: _Delivery, outcome: Outcome) -> None:
        """Hand the outcome to who waits for it, else call again later, or say that it is given up."""
        if delivery.done:
            delivery.done.set_result(outcome)
            return
        if not outcome.problem:
            return
        delay = outcome.delay(delivery.calls)
        if delay is not None and delivery.calls <= delivery.retries:
            self._put(delivery, delay)
            return
        about = {"webhook": delivery.target.id, "event": delivery.event, "calls": delivery.calls}
        log.warning("a webhook was not delivered", extra=_fields(**about, reason=outcome.problem))

    def _call(self, delivery: _Delivery) -> Outcome:
        # Most servers never call a webhook, and what it needs takes long to import.
        from minleaf_server.webhooks.sending import Failed

        delivery.calls += 1
        target = delivery.target
        try:
            secret = None if target.secret is None else self.vault.decrypt(target.secret)
            headers = signature.headers(delivery.id, int(time.time()), delivery.body, secret)
            return judged(self._the_sender().send(target.url, headers, delivery.body))
        except Failed as error:
            return Outcome(problem=str(error), worth_repeating=True)
        except (InvalidParameter, Refused, Unreadable) as error:
            return Outcome(problem=str(error))

    def _the_sender(self) -> "Sender":
        from minleaf_server.webhooks.sending import Sender

        with self._lock:
            if self._sender is None:
                self._sender = Sender(self.rule, self._settings.webhook_timeout)
            return self._sender


def _fields(**values: object) -> dict[str, object]:
    return {"fields": values}
