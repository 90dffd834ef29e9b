"""Every address of the API that a document shows is one that the API answers, with parameters that it knows."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from scripts.api_pages import app
from tests.docs.test_commands import PAGES, ROOT

SHOWN = re.compile(r"http://127\.0\.0\.1:8090(/[^\s'`\"<>)]*)")
PAGES_OF_ITS_OWN = {"/", "/docs", "/openapi.json"}
"""What a browser opens; not in the description."""


@pytest.fixture(scope="module")
def described():
    return app().openapi()["paths"]


def wrong(address, described):
    """Say what is wrong with an address, `None` when it would be answered."""
    parts = urlsplit(address)
    if parts.path in PAGES_OF_ITS_OWN:
        return None
    form = next((path for path in described if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), parts.path)), None)
    if form is None:
        return "no such path"
    known = {each["name"] for each in described[form].get("get", {}).get("parameters", []) if each["in"] == "query"}
    unknown = sorted(parse_qs(parts.query, keep_blank_values=True).keys() - known)
    return f"no parameter {', '.join(unknown)}" if unknown else None


def test_every_address_that_a_page_shows_is_answered(described):
    shown = {(str(page.relative_to(ROOT)), each) for page in PAGES for each in SHOWN.findall(page.read_text("utf-8"))}
    assert len(shown) >= 6
    assert {(page, each): said for page, each in shown if (said := wrong(each, described))} == {}


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/v1/slates", "no such path"),
        ("/api/v1/slates/2025-05-02?markets=batter_hits&limit=1", "no parameter markets"),
        ("/api/v1/players/592450?date=2025-05-02", None),
        ("/docs", None),
    ],
)
def test_an_address_that_is_not_answered_is_found(described, address, said):
    assert wrong(address, described) == said
