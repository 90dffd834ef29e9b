"""The simulated league as a world that upstream servers can tell of, at a chosen instant."""

from __future__ import annotations

import datetime as dt
import uuid
from functools import cached_property
from typing import Final

import polars as pl

from backstop.clock import baseball_day
from backstop.demo.clubs import BY_ID, CLUBS
from backstop.demo.league import boards, box, odds
from backstop.demo.league.calendar import DEMO_DAY, Fixture, season
from backstop.demo.league.campaign import GAME_LASTS, Campaign
from backstop.demo.league.people import FIRST_ID, by_id, players
from backstop.demo.world import QUOTE_COLUMNS, Appearance, Event, Game, Person, PitchAsk, Play, Side
from backstop.settings import STATCAST_SINCE

SEED: Final = 20250402
NOON: Final = dt.datetime.combine(DEMO_DAY, dt.time(17, 40), dt.UTC)
"""Where the simulated clock stands: 13:40 in New York, half an hour into the first game of the doubleheader."""

LISTED_BEFORE: Final = dt.timedelta(hours=36)


class LeagueWorld:
    """A season of the league.

    Args:
        seed: Of everything but the players and their talents.
        now: Where its clock stands.
    """

    def __init__(self, seed: int = SEED, now: dt.datetime = NOON) -> None:
        self.seed = seed
        self.now: dt.datetime | None = now
        self._now = now
        self._campaign = Campaign(seed, now)

    def warm(self) -> None:
        """Play the season now: otherwise whoever asks first waits the second that it takes."""
        self.games(DEMO_DAY, DEMO_DAY)

    def pitches(self, ask: PitchAsk) -> pl.DataFrame:
        """Return pitches of days that Savant has collected."""
        wanted = [
            fixture.day for fixture in season() if self._campaign.is_collected(fixture.day) and _asked(fixture, ask)
        ]
        days = sorted(dict.fromkeys(wanted), reverse=True)
        parts = [self._campaign.pitches(day).filter(*_filters(ask)) for day in days]
        frame = pl.concat(parts) if parts else self._campaign.pitches(season()[0].day).clear()
        names = pl.DataFrame(
            {
                "id": [p.person.player_id for p in players()],
                "player_name": [f"{p.person.last_name}, {p.person.first_name}" for p in players()],
            }
        )
        return frame.join(names, left_on=ask.named, right_on="id", how="left", maintain_order="left")

    def games(self, first: dt.date, last: dt.date) -> list[Game]:
        """Return the games listed between two days, postponed ones under their first date too."""
        listed = [self._game(fixture) for fixture in season() if first <= fixture.day <= last]
        known = min(last, baseball_day(self._now))
        rained = [
            self._rained_out(fixture, day)
            for fixture in season()
            if (day := fixture.moved_from) is not None and first <= day <= known
        ]
        return sorted(listed + rained, key=lambda game: (game.day, game.start_at, game.game_pk))

    def game(self, game_pk: int) -> Game | None:
        """Return a game by its id."""
        row = self._campaign.rows.get(game_pk)
        return None if row is None else self._game(season()[row])

    def appearances(self, game_pk: int) -> list[Appearance]:
        """Return who stands in the box score now."""
        row = self._campaign.rows[game_pk]
        fixture = season()[row]
        state = self._campaign.state(fixture)
        if state != "Scheduled":
            return box.appearances(self._campaign.until(row), self._campaign.cards, row)
        return box.posted(self._campaign.cards, row, with_lineups=self._campaign.is_posted(fixture))

    def plays_of_game(self, game_pk: int) -> list[Play]:
        """Return the plate appearances of a game until now; the last one of a game under way goes on."""
        row = self._campaign.rows[game_pk]
        fixture = season()[row]
        if self._campaign.state(fixture) == "Scheduled":
            return []
        pitched = self._campaign.pitches(fixture.day).filter(game_pk=game_pk)
        last = pitched.sort("at_bat_number", "pitch_number").group_by("at_bat_number", maintain_order=True).last()
        rbi = self._campaign.until(row)["rbi"].tolist()
        going_on = self._campaign.state(fixture) == "In Progress"
        return [
            Play(
                number, inning, half == "Top", batter, pitcher, stand, throws, event, rbi[number - 1], count,
                home, away,
                is_complete=not (going_on and number == len(rbi)),
            )
            for number, inning, half, batter, pitcher, stand, throws, event, count, home, away in last.head(len(rbi))
            .select(
                "at_bat_number", "inning", "inning_topbot", "batter", "pitcher", "stand", "p_throws", "events",
                "pitch_number", "post_home_score", "post_away_score",
            )
            .iter_rows()
        ]  # fmt: skip

    def season_players(self, season: int) -> list[Person]:
        """Return everybody, in the one season that is simulated."""
        return [player.person for player in players()] if season == DEMO_DAY.year else []

    def register(self, shard: str) -> pl.DataFrame:
        """Return the players whose made-up UUID begins with a digit."""
        rows = [_registered(player.person) for player in players()]
        return pl.DataFrame([row for row in rows if row["key_uuid"].startswith(shard)])

    def leaderboard(self, path: str, query: dict[str, str]) -> bytes | None:
        """Return a board of the season so far; of a season that the league did not play it lists nobody."""
        season = query.get("year", str(DEMO_DAY.year)).partition("_")[0]  # 2025_spin-based
        if not season.isdecimal() or int(season) < STATCAST_SINCE:
            return None
        return boards.answer(path, query, self.pitches(PitchAsk(seasons=frozenset({int(season)}))))

    def recorded(self, path: str) -> bytes | None:
        """Return nothing: no answer was recorded of a simulated league."""
        del path
        return None

    def person(self, player_id: int) -> Person | None:
        """Return one of the league's players."""
        player = by_id().get(player_id)
        return player.person if player else None

    def roster(self, team_id: int, day: dt.date) -> list[Person]:
        """Return a club's twenty-six; nobody is traded."""
        del day
        club = BY_ID.get(team_id)
        return [player.person for player in players() if CLUBS[player.club] is club]

    def events(self, at: dt.datetime | None) -> list[Event]:
        """Return the games that books list."""
        now = min(at or self._now, self._now)
        return [
            _event(fixture)
            for fixture in season()
            if now - GAME_LASTS < fixture.start_at < now + LISTED_BEFORE and not self._is_hidden(fixture, now)
        ]

    def event(self, event_id: str, at: dt.datetime | None) -> Event | None:
        """Return a game by the id that books gave it; over, it is known to the history alone."""
        fixture = self._events.get(event_id)
        if fixture is None or (at is None and fixture.start_at + GAME_LASTS < self._now):
            return None
        return _event(fixture)

    def quotes(self, event_id: str, at: dt.datetime | None) -> pl.DataFrame | None:
        """Return the prices of an event."""
        fixture = self._events.get(event_id)
        if fixture is None:
            return None
        row = self._campaign.rows[fixture.game_pk]
        first = next(f.game_pk for f in season() if f.day == fixture.day)
        found = odds.quotes(
            fixture,
            self._campaign.cards,
            row,
            min(at or self._now, self._now),
            self.seed,
            stranger=first == fixture.game_pk,
        )
        return found if len(found) else pl.DataFrame(schema=QUOTE_COLUMNS)

    @cached_property
    def _events(self) -> dict[str, Fixture]:
        return {odds.event_id(fixture.game_pk): fixture for fixture in season()}

    def _game(self, fixture: Fixture) -> Game:
        row = self._campaign.rows[fixture.game_pk]
        state = self._campaign.state(fixture)
        abstract = {"Scheduled": "Preview", "In Progress": "Live"}.get(state, "Final")
        return Game(
            fixture.game_pk,
            fixture.day,
            fixture.start_at,
            start_tbd=False,
            game_type="R",
            status=state,
            abstract=abstract,
            doubleheader=fixture.doubleheader,
            number=fixture.number,
            home=self._side(row, fixture, 1),
            away=self._side(row, fixture, 0),
            moved_from=fixture.moved_from,
        )

    def _rained_out(self, fixture: Fixture, day: dt.date) -> Game:
        """Return a game as it stands under the day on which it was not played."""
        time = fixture.start_at.time().replace(tzinfo=dt.UTC)
        return Game(
            fixture.game_pk,
            day,
            dt.datetime.combine(day, time),
            start_tbd=False,
            game_type="R",
            status="Postponed",
            abstract="Final",
            doubleheader="N",
            number=1,
            home=Side(CLUBS[fixture.home]),
            away=Side(CLUBS[fixture.away]),
            reason="Rain",
            moved_to=fixture.day,
        )

    def _side(self, row: int, fixture: Fixture, side: int) -> Side:
        club = fixture.home if side else fixture.away
        state = self._campaign.state(fixture)
        posted = self._campaign.is_posted(fixture)
        score: int | None = None
        if state != "Scheduled":
            plays = self._campaign.until(row)
            score = int(plays["runs"][plays["half"] == side].sum())
        wins, losses = self._campaign.records[row, club]
        cards, named = self._campaign.cards, fixture.start_at - self._now < LISTED_BEFORE
        return Side(
            CLUBS[club],
            int(cards.starter[row, side]) + FIRST_ID if named else None,
            tuple(int(index) + FIRST_ID for index in cards.lineup[row, side]) if posted else (),
            score, wins, losses,
        )  # fmt: skip

    def _is_hidden(self, fixture: Fixture, now: dt.datetime) -> bool:
        return fixture.moved_from is not None and baseball_day(now) < fixture.moved_from


def _asked(fixture: Fixture, ask: PitchAsk) -> bool:
    within = (ask.first is None or ask.first <= fixture.day) and (ask.last is None or fixture.day <= ask.last)
    return within and (not ask.games or fixture.game_pk in ask.games)


def _filters(ask: PitchAsk) -> list[pl.Expr]:
    wanted = [
        ("game_type", ask.game_types),
        ("batter", ask.batters),
        ("pitcher", ask.pitchers),
        ("game_pk", ask.games),
        ("game_year", ask.seasons),
    ]
    tests = [pl.col(name).is_in(list(values)) for name, values in wanted if values]
    if ask.team:
        tests.append((pl.col("home_team") == ask.team) | (pl.col("away_team") == ask.team))
    return tests


def _registered(person: Person) -> dict[str, str]:
    """Return a person as the Chadwick register lists him."""
    born = person.birth_date
    return {
        "key_person": "", "key_uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"simulated {person.player_id}")),
        "key_mlbam": str(person.player_id), "key_retro": "", "key_bbref": "", "key_bbref_minors": "",
        "key_fangraphs": "", "name_last": (person.last_name or "").removesuffix(" Jr."),
        "name_first": person.first_name or "", "name_given": person.first_name or "",
        "name_suffix": "Jr." if person.full_name.endswith(" Jr.") else "",
        "birth_year": str(born.year) if born else "", "birth_month": str(born.month) if born else "",
        "birth_day": str(born.day) if born else "", "mlb_played_first": str(DEMO_DAY.year),
        "mlb_played_last": str(DEMO_DAY.year),
    }  # fmt: skip


def _event(fixture: Fixture) -> Event:
    return Event(
        odds.event_id(fixture.game_pk), fixture.start_at, CLUBS[fixture.home].odds_name, CLUBS[fixture.away].odds_name
    )
