"""The errors of the engine.

    GreatExpectationsError                (of Great Expectations)
    ├── MetricFailed                      an expression could not be computed on the data; names the source
    └── NotSupported                      the engine has no way to do what is asked; says what to do instead

Both reach the user inside the validation result of the expectation concerned: an expectation that cannot run is a
failed expectation with a reason, never a passed one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from great_expectations.exceptions import GreatExpectationsError

if TYPE_CHECKING:
    from gx_polars.batch import PolarsBatchData


_PATH = re.compile(r'PlRefPath \{ inner: ("[^"]*") \}')  # how Polars writes a path


class MetricFailed(GreatExpectationsError):
    """An expression could not be computed on the data of a batch."""

    @classmethod
    def of(cls, error: Exception, batch: PolarsBatchData, what: str = "") -> MetricFailed:
        """Return the failure of an expression on a batch, with the reason that Polars gave and the source.

        Args:
            error: What was raised.
            batch: The data.
            what: Which part of the expectation failed, in front of the reason.
        """
        first = str(error).strip().split("\n\n")[0].replace("\n", " ")
        reason = _PATH.sub(r"\1", first) or type(error).__name__
        failed = cls(f"could not be computed on {batch.source}: {what}{reason}")
        failed.__cause__ = error
        return failed


class NotSupported(GreatExpectationsError):
    """The engine cannot do what is asked; the message says what it can."""
