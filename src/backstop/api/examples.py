"""An example of every answer, for the OpenAPI document; tests hold each to its model."""

from __future__ import annotations

from typing import Any, Final

from backstop.features import parameters
from backstop.props import calibration

MODEL_VERSION: Final = f"{parameters.default().version}+{calibration.default().version}"
"""Of the model that is shipped."""

PROP: Final[dict[str, Any]] = {
    "prop_id": "777001:592450:batter_hits:1.5",
    "game_pk": 777001,
    "game_date": "2025-06-15",
    "player_id_mlbam": 592450,
    "player_name": "Aaron Judge",
    "team": "NYY",
    "opponent": "BOS",
    "market": "batter_hits",
    "line": 1.5,
    "mean": 1.19,
    "prob_over": 0.327,
    "prob_push": 0.0,
    "prob_under": 0.673,
    "fair_over_decimal": 3.06,
    "fair_under_decimal": 1.49,
    "books": 5,
    "market_prob_over": 0.312,
    "market_prob_low": 0.306,
    "market_prob_high": 0.318,
    "best_side": "over",
    "best_book": "draftkings",
    "best_price_decimal": 3.15,
    "ev_per_unit": 0.03,
    "edge": 0.015,
    "edge_band": 0.006,
    "kelly_quarter": 0.0035,
    "model_version": MODEL_VERSION,
    "as_of": "2025-06-14",
}
FEATURE: Final[dict[str, Any]] = {"game_pk": 777001, "player_id_mlbam": 592450, "role": "batter", "slot": 2}
GAME: Final[dict[str, Any]] = {
    "game_pk": 777001,
    "away_team": "NYY",
    "home_team": "BOS",
    "start_at": "2025-06-15T17:35:00Z",
}
VERSION: Final[dict[str, Any]] = {
    "version": 3,
    "published_at": "2025-06-15T15:20:04.512Z",
    "cutoff": "2025-06-15T15:15:00Z",
    "run_id": "0b0c3f6e-6a5c-4f4e-9d54-6f2d1a1f7a10",
    "pinned": False,
}
COUNTED: Final[dict[str, Any]] = {"degraded": False, "props_count": 7000, "features_count": 280}
NOW: Final[dict[str, Any]] = {"state": "fresh", "age_s": 42.7}
SERVED: Final[dict[str, Any]] = {**NOW, "date": "2025-06-15", "version": 3}
RUN: Final = {"id": "5c1d", "url": "http://127.0.0.1:4200/runs/flow-run/5c1d", "state": "scheduled"}
HEALTHY: Final = {"status": "ok", "detail": "Redis answers."}
PREFIX: Final = "/api/v1/optimized/baseball-savant"

BY_PATH: Final[dict[str, dict[int, Any]]] = {
    "/api/v1/slates": {200: {"slates": [{**NOW, "date": "2025-06-15", **VERSION, **COUNTED}]}},
    "/api/v1/slates/{date}": {
        200: {
            **NOW,
            "slate": {"date": "2025-06-15", **VERSION, **COUNTED, "games": [GAME], "gaps": []},
            "total": 7000,
            "limit": 1,
            "offset": 0,
            "next": "/api/v1/slates/2025-06-15?limit=1&version=3&offset=1",
            "props": [PROP],
        }
    },
    "/api/v1/slates/{date}/versions": {200: {"date": "2025-06-15", "versions": [{**VERSION, "served": True}]}},
    "/api/v1/slates/{date}/diff": {
        200: {
            "date": "2025-06-15",
            "from": 2,
            "to": 3,
            "added": [],
            "gone": [],
            "changed": [{"prop_id": PROP["prop_id"], "fields": {"best_price_decimal": [3.05, 3.15]}}],
            "total": 1,
        }
    },
    "/api/v1/players/{player_id}": {200: {**SERVED, "player_id_mlbam": 592450, "features": [FEATURE], "props": [PROP]}},
    "/api/v1/players/{player_id}/features": {200: {**SERVED, "player_id_mlbam": 592450, "features": [FEATURE]}},
    "/api/v1/props/{market}/top": {200: {**SERVED, "market": "batter_hits", "sort": "ev", "props": [PROP]}},
    "/api/v1/games/{game_pk}": {200: {**SERVED, "game": GAME, "players": [592450], "props": [PROP]}},
    "/api/v1/grades": {200: {"days": []}},
    f"{PREFIX}/generate-props": {
        200: {
            **SERVED,
            "features_as_of": "2025-06-15T15:15:00Z",
            "generated_at": "2025-06-15T15:20:47.2Z",
            "model_version": MODEL_VERSION,
            "refresh": None,
            "counts": {
                "players": 50,
                "players_in_slate": 280,
                "batches": 1,
                "props": 1425,
                "priced": 298,
                "quotes": 2014,
            },
            "timing": {"read_ms": 1.2, "generate_ms": 31.0, "encode_ms": 1.9, "total_ms": 34.6},
            "props": [PROP],
        },
        202: {**RUN, "date": "2025-06-15", "idempotency_key": "api-refresh-2025-06-15-1750000804512000-5833336"},
    },
    f"{PREFIX}/health": {
        200: {"status": "ok", "detail": "The slate of 2025-06-15 is fresh.", **SERVED},
    },
    "/health/live": {200: {"status": "ok"}},
    "/health/ready": {200: HEALTHY},
    "/health/detailed": {200: {"status": "ok", "components": {"redis": HEALTHY}}},
}
