"""What became of one call of a webhook, and whether and when it is worth another."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minleaf_server.webhooks.sending import Answer

RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
FIRST_DELAY_SECONDS = 1.0
DELAY_SECONDS_MAX = 60.0
RETRY_AFTER_SECONDS_MAX = 600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended. `status` is 0 where there was no answer; `problem` is "" where it was delivered."""

    status: int = 0
    body: str = ""
    problem: str = ""
    retry_after: float | None = None
    """Seconds after which the receiver wants the call repeated; None where it does not say."""
    worth_repeating: bool = False

    def delay(self, calls: int) -> float | None:
        """Seconds until the next call, when there were `calls`; None where there should be no other.

        What the receiver asks for counts, unless it is longer than a delivery is kept. Else it is twice as long each
        time, with some jitter, so that the deliveries of a busy moment do not come back together.
        """
        if not self.worth_repeating:
            return None
        if self.retry_after is not None:
            return self.retry_after if self.retry_after <= RETRY_AFTER_SECONDS_MAX else None
        return min(DELAY_SECONDS_MAX, FIRST_DELAY_SECONDS * 2.0 ** (calls - 1)) * random.uniform(1.0, 1.5)


def judged(answer: "Answer") -> Outcome:
    """Only 2xx is a delivery. A redirect is none: what it points to was not asked for by whoever made the webhook."""
    if 200 <= answer.status < 300:
        return Outcome(answer.status, answer.body)
    problem = f"The receiver answered with status {answer.status}."
    if 300 <= answer.status < 400:
        problem = f"The receiver answered with a redirect (status {answer.status}), which is not followed."
    again = answer.status in RETRY_STATUSES
    return Outcome(answer.status, answer.body, problem, seconds_of(answer.retry_after), again)


def seconds_of(header: str) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or as a date; None where it says neither."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
