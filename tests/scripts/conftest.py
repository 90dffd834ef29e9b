"""What generators import is loaded once, with its warnings let pass."""

from __future__ import annotations

import tests.docs.conftest  # noqa: F401
