"""Who a quoted name is: matched within the two teams of the quoted game, unmatched with a reason otherwise.

Four passes over the names of the rosters, each only for names that the one before left: the compared name with a quoted
suffix (so that Luis Garcia Jr. is not Luis Garcia); the compared name; the same without middle initials; the same with
given names that stand for one another (Matt, Matthew). A fifth one over the names that the Chadwick register knows the
same players by. A name that fits two players of the game is never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from backstop.errors import ValidationFailed
from backstop.identity import names
from backstop.identity.games import GAME_OFF, match_events
from backstop.tables import QUOTES

PASSES = (
    ("name and suffix", names.with_suffix),
    ("name", names.normalise),
    ("without middle initial", names.without_middle),
    ("given name", names.by_given_name),
)

REGISTER = "register"
"""The last pass: a name that the rosters spell otherwise."""

REASON_NOBODY = "nobody of the two teams has this name"
REASON_SEVERAL = "two players of the game have this name"

FEW = 3
"""Fewer unknown names than these, however few names there are, are no sign that recipe or rosters broke: 1 to 1.5 % of
recorded ones are, so that of 40 two or more are by chance once in eight times, three or more once in forty."""

FEW_SHARE = 0.25
"""Share of the names above which even a few are such a sign: as of rows, more are another feed, not bad names."""

NAMED = 5
"""Names that a sentence lists."""

REPORT = {
    "event_id_theodds": pl.String(),
    "game_pk": pl.Int64(),
    "home_team": pl.String(),
    "away_team": pl.String(),
    "player_name": pl.String(),
    "player_id_mlbam": pl.Int64(),
    "matched_by": pl.String(),
    "reason": pl.String(),
    "quotes": pl.Int64(),
}


@dataclass(frozen=True)
class Matched:
    """Quotes with their players.

    Attributes:
        quotes: `core_quotes` with game_pk and player_id_mlbam filled where they were found; as many rows as came in.
        report: One row per event and quoted name: game_pk, player_id_mlbam, matched_by (the pass), reason (why not),
            quotes (rows concerned).
        unmatched_share: Unmatched (event, name) pairs over all, 0 without any; those of games that are off left out.
    """

    quotes: pl.DataFrame
    report: pl.DataFrame
    unmatched_share: float

    @property
    def unmatched(self) -> pl.DataFrame:
        """The part of the report that names nobody."""
        return self.report.filter(pl.col("player_id_mlbam").is_null())

    def sentence(self) -> str:
        """Say how many names were matched, and who was not."""
        names = self.unmatched.filter(pl.col("reason") != GAME_OFF)["player_name"].unique().sort().to_list()
        said = f"{self.unmatched_share:.2%} of {len(self.report):,} quoted (name, game) pairs match nobody"
        return said + (f": {', '.join(names[:NAMED])}" if names else "") + (", ..." if len(names) > NAMED else "")

    def check(self, limit: float) -> None:
        """Refuse quotes of which too many names match nobody.

        Raises:
            ValidationFailed: more than `borne` of the pairs match nobody.
        """
        if self.unmatched_share > borne(self.report.filter(pl.col("reason").ne_missing(GAME_OFF)), limit):
            raise ValidationFailed(
                f"{self.sentence()}. {_may(limit)}: look at the reasons in the report, and fetch the rosters again if "
                "they are old.",
                source="identity",
            )


def borne(quoted: pl.DataFrame, limit: float) -> float:
    """Return the share of quoted names, or of their rows, that may be of nobody before all prices are refused.

    That is `limit`, and `FEW_SHARE` where it is higher and fewer than `FEW` names are of nobody: of a slate of two or
    three games one name is more than 2 %. A limit of 0 bears none, few or many. The rows of an unknown name are put in
    quarantine either way.

    Args:
        quoted: Columns player_name and player_id_mlbam (null of an unknown one), in rows of any grain.
        limit: The share where names are many.
    """
    unknown = quoted.filter(pl.col("player_id_mlbam").is_null())["player_name"].n_unique()
    return max(limit, FEW_SHARE) if limit and unknown < FEW else limit


def _may(limit: float) -> str:
    few = f", {FEW_SHARE:.0%} where they are fewer than {FEW}" if 0 < limit < FEW_SHARE else ""
    return f"At most {limit:.1%} may{few}" if limit else "None may"


def match_quotes(
    quotes: pl.DataFrame, games: pl.DataFrame, players: pl.DataFrame, known_as: pl.DataFrame | None = None
) -> Matched:
    """Find game and player of every quote.

    Args:
        quotes: `core_quotes`; values of game_pk and player_id_mlbam are found anew.
        games: `core_games` of the quoted days.
        players: `core_players` of these games.
        known_as: Further names of players (player_id_mlbam, full_name), as the Chadwick register has them; tried last.

    Returns:
        The quotes, a report per event and name, and the share of those that could not be matched.
    """
    event_columns = ["event_id_theodds", "commence_at", "game_date", "home_team", "away_team"]
    # an event whose start moved between two fetches stands once, as fetched last
    events = quotes.sort("fetched_at").select(event_columns).unique("event_id_theodds", keep="last")
    event_games = match_events(events, games)
    pairs = (
        quotes.group_by("event_id_theodds", "player_name")
        .agg(pl.len().cast(pl.Int64).alias("quotes"), pl.col("home_team", "away_team").last())
        .join(event_games, on="event_id_theodds", how="left")
    )
    report = _match_names(pairs, players, known_as).select(list(REPORT)).cast(REPORT)  # type: ignore[arg-type]
    found = report.select("event_id_theodds", "player_name", "game_pk", "player_id_mlbam")
    filled = (
        quotes.drop("game_pk", "player_id_mlbam")
        .join(found, on=["event_id_theodds", "player_name"], how="left")
        .select(list(QUOTES.schema))
        .cast(QUOTES.schema)  # type: ignore[arg-type]
        .sort(QUOTES.key)
    )
    return matched(filled, report)


def matched(quotes: pl.DataFrame, report: pl.DataFrame) -> Matched:
    """Put quotes and their report together, with the share of the report's names that match nobody."""
    counted = report.filter(pl.col("reason").ne_missing(GAME_OFF))
    unmatched = counted["player_id_mlbam"].null_count()
    return Matched(
        quotes, report.sort("event_id_theodds", "player_name"), unmatched / len(counted) if len(counted) else 0.0
    )


def _match_names(pairs: pl.DataFrame, players: pl.DataFrame, known_as: pl.DataFrame | None) -> pl.DataFrame:
    """Add player_id_mlbam, matched_by and reason to (game_pk, player_name, reason)."""
    open_pairs = pairs.with_columns(
        pl.lit(None, pl.Int64).alias("player_id_mlbam"), pl.lit(None, pl.String).alias("matched_by")
    )
    for label, compared in PASSES:
        open_pairs = _one_pass(
            open_pairs, players, label, compared(pl.col("player_name")), compared(pl.col("full_name"))
        )
    if known_as is not None and not known_as.is_empty():
        also = players.select("game_pk", "player_id_mlbam").join(known_as, on="player_id_mlbam")
        compared = names.normalise
        open_pairs = _one_pass(
            open_pairs, also, REGISTER, compared(pl.col("player_name")), compared(pl.col("full_name"))
        )
    nobody = pl.col("player_id_mlbam").is_null() & pl.col("reason").is_null()
    return open_pairs.with_columns(
        pl.when(nobody).then(pl.lit(REASON_NOBODY)).otherwise(pl.col("reason")).alias("reason")
    )


def _one_pass(pairs: pl.DataFrame, players: pl.DataFrame, label: str, quoted: pl.Expr, listed: pl.Expr) -> pl.DataFrame:
    """Match the names still open on one form of the name; a form that fits several players closes the case."""
    forms = (
        players.with_columns(listed.alias("_form"))
        .filter(pl.col("_form").str.len_chars() > 0)
        .group_by("game_pk", "_form")
        .agg(pl.col("player_id_mlbam").unique().alias("_ids"))
        .with_columns(pl.col("_ids").list.len().alias("_fits"))
    )
    tried = pairs.with_columns(quoted.alias("_form")).join(forms, on=["game_pk", "_form"], how="left")
    is_open = pl.col("player_id_mlbam").is_null() & pl.col("reason").is_null()
    hit, several = is_open & (pl.col("_fits") == 1), is_open & (pl.col("_fits") > 1)
    return tried.with_columns(
        pl.when(hit).then(pl.col("_ids").list.first()).otherwise("player_id_mlbam").alias("player_id_mlbam"),
        pl.when(hit).then(pl.lit(label)).otherwise("matched_by").alias("matched_by"),
        pl.when(several).then(pl.lit(REASON_SEVERAL)).otherwise("reason").alias("reason"),
    ).drop("_form", "_ids", "_fits")
