"""Words in tables: cells, names as code, what docstrings say of arguments."""

from __future__ import annotations

import re
from typing import Any


def cell(text: str) -> str:
    """Return text that stands in a table's cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def code(names: Any) -> str:
    """Return names as code, in their order."""
    return ", ".join(f"`{name}`" for name in names)


def attributes(text: str) -> dict[str, str]:
    """Return what a docstring says under `Args:` or `Attributes:`, by name."""
    block = re.split(r"^\s*(?:Args|Attributes):\n", text, maxsplit=1, flags=re.MULTILINE)[-1]
    block = re.split(r"^\s*(?:Returns|Raises|Yields):\n", block, maxsplit=1, flags=re.MULTILINE)[0]
    parts = re.split(r"^\s{4,8}(\w+): ", block, flags=re.MULTILINE)
    return {name: re.sub(r"\s+", " ", told).strip() for name, told in zip(parts[1::2], parts[2::2], strict=True)}
