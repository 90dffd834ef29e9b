"""Imports Great Expectations once, before any test: its own import warns about modules that Python has deprecated."""

from __future__ import annotations

import importlib
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    importlib.import_module("great_expectations.expectations")
