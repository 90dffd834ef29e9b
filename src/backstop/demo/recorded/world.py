"""The world as the recordings hold it: everything lies in the past."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import threading
from pathlib import Path
from typing import Final

import polars as pl

from backstop.clock import baseball_day
from backstop.demo.clubs import BY_ABBR, BY_ID, BY_NAME, Club
from backstop.demo.recorded.answers import Answers
from backstop.demo.recorded.boards import Boards
from backstop.demo.recorded.box import appearances, plate_appearances, sides
from backstop.demo.recorded.names import Names
from backstop.demo.recorded.pitches import KEY, Pitches
from backstop.demo.recorded.quotes import Quotes
from backstop.demo.recorded.rosters import Rosters
from backstop.demo.world import Appearance, Event, Game, NotRecorded, Person, PitchAsk, Play, Side
from backstop.errors import UsageError

EVENING: Final = dt.time(19, 5)
"""Local time that stands in for a start which no recording tells; `startTimeTBD` says so."""

AFTERNOON: Final = dt.time(13, 5)
"""Likewise for the first of two games."""

SPLIT_AFTER: Final = dt.timedelta(hours=4)
"""Between the starts of two games of a day: more is a split doubleheader, less a traditional one."""


class RecordedWorld:
    """A folder of recordings.

    Args:
        folder: Holds `savant/pitches`, `odds`, `mlb_statsapi` and `register`; each may be missing.

    Raises:
        UsageError: the folder does not exist, or holds neither pitches nor quotes.
    """

    now: dt.datetime | None = None

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder; expected one with savant/pitches and odds in it.")
        self._pitches = Pitches(folder / "savant" / "pitches")
        self._boards = Boards(folder / "savant")
        self._quotes = Quotes(folder / "odds")
        self._answers = Answers(folder / "mlb_statsapi")
        self._rosters = Rosters(self._pitches.files)
        self._names = Names(folder, self._pitches.files)
        self._days: dict[dt.date, list[Game]] = {}
        self._lock = threading.RLock()
        if not self._pitches.files and self._quotes.table.is_empty():
            raise UsageError(f"{folder} holds neither savant/pitches/*.parquet nor odds/*.parquet; nothing to serve.")

    def warm(self) -> None:
        """Read names, quotes and answers."""
        parts = (
            lambda: self._names.savant,
            lambda: self._quotes.games,
            lambda: self._answers.games,
            lambda: self._rosters.appearances,
        )
        for part in parts:
            part()

    def pitches(self, ask: PitchAsk) -> pl.DataFrame:
        """Return pitches under Savant's names, with the name of who was asked for."""
        frame = self._pitches.select(ask)
        names = self._names.savant.rename({"player_id": ask.named, "name": "player_name"})
        return frame.drop("player_name", strict=False).join(names, on=ask.named, how="left", maintain_order="left")

    def games(self, first: dt.date, last: dt.date) -> list[Game]:
        """Return the games of some days."""
        with self._lock:
            days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
            missing = [day for day in days if day not in self._days]
            # month by month, so that no more than a month of pitches is held at once
            for _, month in itertools.groupby(missing, key=lambda day: (day.year, day.month)):
                of_month = list(month)
                self._derive(of_month[0], of_month[-1])
            return [game for day in days for game in self._days.get(day, [])]

    def game(self, game_pk: int) -> Game | None:
        """Return a game by its id."""
        dates = self._pitches.game_index.filter(game_pk=game_pk)["game_date"].to_list()
        recorded = self._answers.games.get(game_pk)
        days = dates or ([recorded.day] if recorded else [])
        return next((game for day in days for game in self.games(day, day) if game.game_pk == game_pk), None)

    def appearances(self, game_pk: int) -> list[Appearance]:
        """Return the box score that the pitches tell, and who else was on the two rosters."""
        game = self.game(game_pk)
        pitches = self._pitches.select(PitchAsk(games=frozenset({game_pk})))
        if game is None or pitches.is_empty():
            return []
        played = appearances(pitches)
        seen = {row.player_id for row in played}
        return played + [
            Appearance(player, is_home, position="P" if is_pitcher else None)
            for side, is_home in ((game.away, False), (game.home, True))
            for player, is_pitcher in self._rosters.of(side.club.abbr, game.day).items()
            if player not in seen
        ]

    def plays_of_game(self, game_pk: int) -> list[Play]:
        """Return the plate appearances that the pitches tell; runs batted in are not among it."""
        pitches = self._pitches.select(PitchAsk(games=frozenset({game_pk})))
        ends = plate_appearances(pitches)
        needed = ("stand", "p_throws", "post_home_score", "post_away_score")
        if not set(needed) <= set(ends.columns):
            return []
        columns = ("at_bat_number", "inning", "inning_topbot", "batter", "pitcher", "events", "pitch_number", *needed)
        return [
            Play(number, inning, half == "Top", batter, pitcher, stand, throws, event, None, count, home, away)
            for number, inning, half, batter, pitcher, event, count, stand, throws, home, away in ends.select(
                columns
            ).rows()
        ]

    def season_players(self, season: int) -> list[Person]:
        """Return who appeared in a season."""
        played = self._rosters.appearances.filter(pl.col("game_date").dt.year() == season)["player_id"].unique().sort()
        return [person for player in played if (person := self.person(player))]

    def register(self, shard: str) -> pl.DataFrame:
        """Return a part of the recorded register."""
        return self._names.register(shard)

    def leaderboard(self, path: str, query: dict[str, str]) -> bytes:
        """Return a recorded board.

        Raises:
            NotRecorded: there is none of that season and kind of player.
        """
        board = self._boards.answer(path, query)
        if board is None:
            raise NotRecorded(f"not recorded; of {path} there is {self._boards.held(path)}")
        return board

    def recorded(self, path: str) -> bytes | None:
        """Return a recorded answer to this path."""
        return self._answers.by_path.get(path)

    def person(self, player_id: int) -> Person | None:
        """Return a player by his id."""
        return self._names.person(player_id)

    def roster(self, team_id: int, day: dt.date) -> list[Person]:
        """Return who appeared for the club lately."""
        club = BY_ID.get(team_id)
        players = self._rosters.of(club.abbr, day) if club else {}
        people = [(self.person(player), is_pitcher) for player, is_pitcher in players.items()]
        return [
            dataclasses.replace(person, position=person.position or ("P" if is_pitcher else None))
            for person, is_pitcher in people
            if person
        ]

    def events(self, at: dt.datetime | None) -> list[Event]:
        """Return the games that books listed."""
        return self._quotes.events(at)

    def event(self, event_id: str, at: dt.datetime | None) -> Event | None:
        """Return one of the games that books listed."""
        return self._quotes.event(event_id, at)

    def quotes(self, event_id: str, at: dt.datetime | None) -> pl.DataFrame | None:
        """Return the prices of an event."""
        return self._quotes.at(event_id, at)

    def _derive(self, first: dt.date, last: dt.date) -> None:
        pitches = self._pitches.days(first, last)
        found = _games(pitches, self._starts(first, last)) if len(pitches) else []
        known = self._answers.games
        merged = {game.game_pk: _with_answer(game, known.get(game.game_pk)) for game in found}
        merged |= {pk: game for pk, game in known.items() if pk not in merged and first <= game.day <= last}
        for n in range((last - first).days + 1):
            day = first + dt.timedelta(days=n)
            games = [game for game in merged.values() if game.day == day]
            self._days[day] = sorted(games, key=lambda game: (game.start_at, game.game_pk))

    def _starts(self, first: dt.date, last: dt.date) -> dict[tuple[dt.date, str, str], list[dt.datetime]]:
        """Return the starts that books listed by day, home and away abbreviation."""
        starts: dict[tuple[dt.date, str, str], list[dt.datetime]] = {}
        for row in self._quotes.games.iter_rows(named=True):
            day = baseball_day(row["commence_at"])
            home, away = BY_NAME.get(row["home_team"]), BY_NAME.get(row["away_team"])
            if home and away and first <= day <= last:
                starts.setdefault((day, home.abbr, away.abbr), []).append(row["commence_at"])
        return starts


def _with_answer(game: Game, answer: Game | None) -> Game:
    """Keep what was recorded as an answer; fill in line-ups and starters that the pitches tell."""
    if answer is None:
        return game
    home, away = (
        dataclasses.replace(said, starter=said.starter or told.starter, lineup=told.lineup)
        for said, told in ((answer.home, game.home), (answer.away, game.away))
    )
    return dataclasses.replace(answer, home=home, away=away)


def _games(pitches: pl.DataFrame, starts: dict[tuple[dt.date, str, str], list[dt.datetime]]) -> list[Game]:
    scores = [
        pl.col(f"post_{side}_score").max().alias(f"{side}_score")
        for side in ("home", "away")
        if f"post_{side}_score" in pitches.columns
    ]
    again = (
        pl.col("batter_days_since_prev_game").min()
        if "batter_days_since_prev_game" in pitches.columns
        else pl.lit(None)
    )
    games = (
        pitches.sort(KEY)
        .group_by("game_pk", maintain_order=True)
        .agg(
            pl.col("game_date").min(),
            pl.col("game_type", "home_team", "away_team").first(),
            again.alias("again"),
            *scores,
        )
    )
    batting = {(row["game_pk"], row["is_home"]): row for row in sides(pitches).iter_rows(named=True)}
    # of two games on a day, the one that somebody enters with no day since his last game is the second
    order = games.sort(pl.col("again").cast(pl.Int64()) == 0, "game_pk", nulls_last=False)
    same_day: dict[tuple[dt.date, str, str], list[dict[str, object]]] = {}
    for row in order.iter_rows(named=True):
        home, away = BY_ABBR.get(row["home_team"]), BY_ABBR.get(row["away_team"])
        if home and away:
            same_day.setdefault((row["game_date"], home.abbr, away.abbr), []).append(row)
    return [game for key, rows in same_day.items() for game in _of_a_day(key, rows, starts.get(key, []), batting)]


def _of_a_day(
    key: tuple[dt.date, str, str],
    rows: list[dict[str, object]],
    known: list[dt.datetime],
    batting: dict[tuple[int, bool], dict[str, object]],
) -> list[Game]:
    day, home, away = key[0], BY_ABBR[key[1]], BY_ABBR[key[2]]
    times = sorted(known)[: len(rows)] if len(known) >= len(rows) else []
    kind = "N" if len(rows) == 1 else "Y" if times and times[1] - times[0] < SPLIT_AFTER else "S"
    games = []
    for number, row in enumerate(rows):
        start = times[number] if times else _placeholder(day, home, number, len(rows))
        pk = int(str(row["game_pk"]))
        games.append(
            Game(
                pk,
                day,
                start,
                start_tbd=not times,
                game_type=str(row["game_type"] or "R"),
                status="Final",
                abstract="Final",
                doubleheader=kind,
                number=number + 1,
                home=_side(home, row.get("home_score"), batting.get((pk, True)), batting.get((pk, False))),
                away=_side(away, row.get("away_score"), batting.get((pk, False)), batting.get((pk, True))),
            )
        )
    return games


def _side(club: Club, score: object, batting: dict[str, object] | None, facing: dict[str, object] | None) -> Side:
    lineup = batting["lineup"] if batting else []
    starter = facing["faced"] if facing else None
    return Side(
        club,
        starter if isinstance(starter, int) else None,
        tuple(lineup) if isinstance(lineup, list) else (),
        score if isinstance(score, int) else None,
    )


def _placeholder(day: dt.date, home: Club, number: int, games: int) -> dt.datetime:
    time = AFTERNOON if number == 0 and games > 1 else EVENING
    return dt.datetime.combine(day, time, dt.UTC) + dt.timedelta(hours=home.utc_offset_h)
