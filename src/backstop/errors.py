"""The exceptions of Backstop.

Every class answers two questions: whose fault is it, and is another try worth it? A message is a sentence with the
value seen, the value expected and the next step.

    BackstopError
    ├── UsageError                  the caller asked for something that makes no sense (exit code 2)
    │   └── ConfigurationError      a setting is wrong or missing
    ├── UpstreamError               a feed did not answer as it should; `source` names the feed
    │   ├── UpstreamUnavailable     no answer, a timeout, a reset, 408/425/5xx          (retryable)
    │   │   └── RateLimited         429; `retry_after_s` is the feed's own word          (retryable)
    │   ├── UpstreamMalformed       an answer that is not what was asked: HTML, truncated, wrong content (retryable)
    │   ├── UpstreamRefused         another 4xx: asking again cannot help
    │   │   └── OutOfCredits        a paid feed's budget is spent or reserved
    │   ├── RowCapReached           the answer stops at a known row cap, so it is incomplete: split the request
    │   ├── ResponseTooLarge        more bytes than allowed, before or after decompression
    │   ├── BreakerOpen             the feed failed too often; asked again after `retry_after_s`
    │   └── DeadlineExceeded        the time budget of the request is spent
    ├── DataError                   rows are not what they must be
    │   ├── SchemaDrift             a column that is needed is gone or has another type
    │   ├── ValidationFailed        a rule about a whole table is broken
    │   └── ConservationBroken      rows in ≠ loaded + quarantined + in failed batches
    ├── StoreError                  Redis refused, or holds less than it should
    │   ├── StoreUnavailable        no connection, LOADING, timeout                      (retryable)
    │   ├── StaleVersion            a newer version is published already: newer wins
    │   └── IncompleteVersion       a written version does not hold every row
    └── LakeError                   a partition could not be read or replaced
        └── LeaseHeld               another run works on the key                          (retryable)
"""

from __future__ import annotations


class BackstopError(Exception):
    """Root of every error that Backstop raises on purpose.

    Args:
        message: A sentence: the value seen, the value expected, the next step.
        source: The feed, table or service concerned.
        retry_after_s: Seconds to wait before another try, when the other side named them.
    """

    retryable: bool = False
    exit_code: int = 1

    def __init__(self, message: str, *, source: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling: errors travel between task processes."""
        return _rebuild, (type(self), self.message, self.source, self.retry_after_s)


def _rebuild(kind: type[BackstopError], message: str, source: str | None, retry_after_s: float | None) -> BackstopError:
    return kind(message, source=source, retry_after_s=retry_after_s)


class UsageError(BackstopError):
    """The caller asked for something that makes no sense; the message says what would."""

    exit_code = 2


class ConfigurationError(UsageError):
    """A setting is wrong or missing."""


class UpstreamError(BackstopError):
    """A feed did not answer as it should."""


class UpstreamUnavailable(UpstreamError):
    """No answer, a timeout, a reset or a server error."""

    retryable = True


class RateLimited(UpstreamUnavailable):
    """The feed asked for a pause."""


class UpstreamMalformed(UpstreamError):
    """The answer is not what was asked for: HTML, a truncated body, an error in the data."""

    retryable = True


class UpstreamRefused(UpstreamError):
    """The feed refused the request; asking again cannot help."""


class OutOfCredits(UpstreamRefused):
    """A paid feed's credits are spent or would fall under the floor."""


class RowCapReached(UpstreamError):
    """The answer holds exactly as many rows as the feed gives at most: it is incomplete."""


class ResponseTooLarge(UpstreamError):
    """The answer has more bytes than allowed."""


class BreakerOpen(UpstreamError):
    """The feed failed too often and is left alone for a while."""


class DeadlineExceeded(UpstreamError):
    """The time budget of a request is spent."""


class DataError(BackstopError):
    """Rows are not what they must be."""


class SchemaDrift(DataError):
    """A needed column is gone or has another type."""


class ValidationFailed(DataError):
    """A rule about a whole table is broken."""


class ConservationBroken(DataError):
    """Rows went missing: what came in is not what was loaded, quarantined or failed."""


class StoreError(BackstopError):
    """Redis refused, or holds less than it should."""


class StoreUnavailable(StoreError):
    """Redis cannot be reached, is loading, or did not answer in time."""

    retryable = True


class StaleVersion(StoreError):
    """A newer version of the slate is published already."""


class IncompleteVersion(StoreError):
    """A version does not hold every row: it is not published, or not given to a reader."""


class LakeError(BackstopError):
    """A partition of the lake could not be read or replaced."""


class LeaseHeld(LakeError):
    """Another run works on the same table and key."""

    retryable = True
