"""The page and its files over HTTP, without a browser."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from backstop.api.board import pages

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "src" / "backstop" / "api" / "board" / "static"


class Visitor:
    """Asks an application in this process."""

    def __init__(self, app):
        self.transport = httpx.ASGITransport(app)

    def get(self, path, headers=None):
        async def ask():
            async with httpx.AsyncClient(transport=self.transport, base_url="http://board") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


@pytest.fixture
def client():
    app = Starlette()
    pages.mount(app)
    return Visitor(app)


def linked(client):
    return re.findall(r'(?:src|href)="(/board/[^"]+)"', client.get("/").text)


def test_everything_that_the_page_links_to_is_there_and_kept_for_a_year(client):
    found = linked(client)
    assert len(found) >= 6
    for address in found:
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


def test_every_module_that_is_imported_exists():
    for module in STATIC.glob("*.js"):
        for name in re.findall(r'from "\./([\w.]+)"', module.read_text("utf-8")):
            assert (STATIC / name).is_file(), f"{module.name} imports {name}"


def test_the_page_itself_is_asked_for_each_time_and_answered_with_304(client):
    first = client.get("/")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_no_script_or_style_may_stand_in_the_page_and_nothing_may_come_from_elsewhere(client):
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert not re.search(r"<script>|<style|\sstyle=|\son\w+=", answer.text)
    for file in (*STATIC.glob("*.js"), *STATIC.glob("*.css"), STATIC / "index.html"):
        text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://", text), file.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), file.name


def test_a_file_of_another_release_is_not_given_for_this_one(client):
    answer = client.get("/board/0123456789ab/main.js")
    assert answer.status_code == 404
    assert "load the page again" in answer.text


def test_a_path_out_of_the_folder_leads_nowhere(client):
    assert client.get(f"/board/{pages.digest()}/../pages.py").status_code == 404
    assert client.get(f"/board/{pages.digest()}/..%2fpages.py").status_code == 404


def test_texts_are_compressed_for_those_who_can_read_that(client):
    address = next(each for each in linked(client) if each.endswith("main.js"))
    small = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    for unable in ("identity", "gzip;q=0", "zstd, gzip; q=0.0"):
        plain = client.get(address, headers={"Accept-Encoding": unable})
        assert "content-encoding" not in plain.headers, unable
        assert small.text == plain.text


def test_a_browser_that_has_a_file_of_this_release_is_told_so(client):
    address = next(each for each in linked(client) if each.endswith("main.js"))
    etag = client.get(address).headers["etag"]
    again = client.get(address, headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert again.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_whole_board_is_small(client):
    sizes = {name: len(asset.packed) for name, asset in pages.assets().items()}
    assert sum(sizes.values()) < 120_000, sizes


def test_the_wheel_holds_every_file_of_the_board(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = {name.rpartition("/")[2] for name in wheel.namelist() if name.startswith("backstop/api/board/static/")}
    assert held == {file.name for file in STATIC.iterdir()}


def luminance(colour):
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def palettes():
    """The colours of each scheme by name: light, dark by the system, dark by choice."""
    style = (STATIC / "base.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root[^{]*\{([^}]*)\}", style)
    return [found for block in blocks if "ink" in (found := dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block)))]


def test_every_text_can_be_read_on_what_it_stands_on():
    light, *dark = palettes()
    assert dark[0] == dark[1]
    plain = [(text, paper) for text in ("ink", "soft", "faint", "field") for paper in ("paper", "sheet", "sunken")]
    washed = [(name, f"{name}-wash") for name in ("field", "clay", "amber")]
    for colours in (light, dark[0]):
        poor = {pair: contrast(*(colours[name] for name in pair)) for pair in [*plain, *washed]}
        assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
