"""How long one alarm is tried: attempts, age, and the random waits between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_result,
    stop_after_attempt,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from streamgauge.alarms.sinks.base import Delivery


@dataclass(frozen=True, slots=True)
class Patience:
    """The bounds. Times in seconds; the age counts from when the alarm was read."""

    max_attempts: int = 20
    max_age_seconds: float = 3_600.0
    first_retry_seconds: float = 1.0
    longest_retry_seconds: float = 300.0

    def retrying(
        self,
        *,
        age: Callable[[], float],
        before_wait: Callable[[Delivery], None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> AsyncRetrying:
        """A loop over attempts; it ends with the last ``Delivery``, and raises nothing of its own.

        The waits grow exponentially and each is random between half of the first and its bound,
        so that many alarms after an outage do not all come at once.
        """
        return AsyncRetrying(
            retry=retry_if_result(_again),
            stop=stop_after_attempt(self.max_attempts) | _TooOld(age, self.max_age_seconds),
            wait=wait_random_exponential(
                multiplier=self.first_retry_seconds,
                min=self.first_retry_seconds / 2,
                max=self.longest_retry_seconds,
            ),
            before_sleep=lambda state: before_wait(_result(state)),
            retry_error_callback=_result,
            sleep=sleep,
        )


class _TooOld(stop_base):
    """Stops where the next attempt would come after the end."""

    def __init__(self, age: Callable[[], float], limit: float) -> None:
        self._age = age
        self._limit = limit

    def __call__(self, retry_state: RetryCallState) -> bool:
        return self._age() + retry_state.upcoming_sleep >= self._limit


def _again(delivery: Delivery) -> bool:
    return not delivery.delivered and delivery.recoverable


def _result(state: RetryCallState) -> Delivery:
    assert state.outcome is not None
    delivery: Delivery = state.outcome.result()
    return delivery
