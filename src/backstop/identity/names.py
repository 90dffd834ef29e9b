"""Names made comparable: accents, case, punctuation, spaces and generational suffixes do not tell players apart."""

from __future__ import annotations

import polars as pl

UNDECOMPOSED = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th"}
"""Letters that Unicode does not take apart into a base and an accent."""

GIVEN_NAMES: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "matthew matt", "michael mike", "joseph joe joey", "joshua josh", "jonathan jon", "zachary zach zack zac",
        "nicholas nick", "daniel dan danny", "christopher chris", "robert rob robbie bob bobby",
        "james jim jimmy jamie",
        "william will bill billy", "thomas tom tommy", "andrew andy drew", "anthony tony", "alexander alex",
        "benjamin ben", "samuel sam", "cameron cam", "jacob jake", "nathaniel nathan nate", "gregory greg",
        "jeffrey jeff", "kenneth ken kenny", "timothy tim", "phillip philip phil", "steven stephen steve",
        "charles charlie", "edward ed eddie", "gabriel gabe", "maxwell max", "mitchell mitch", "patrick pat",
        "richard rich richie rick", "ronald ron ronny", "douglas doug", "frederick fred freddy", "luis louis",
        "vincent vinny vince vinnie", "dominic dom", "harrison harry", "abraham abe", "david dave", "peter pete",
        "leonard leo", "lawrence larry", "donald don donnie", "theodore teddy ted", "isaiah ike", "jackson jack",
    )
)  # fmt: skip
"""Given names that stand for one another."""

_SUFFIX = r"[\s,]+(jr|sr|ii|iii|iv)\.?$"
_IN_BRACKETS = r"\([^)]*\)"


def plain(expr: pl.Expr) -> pl.Expr:
    """Lower case without accents, brackets, suffix and punctuation, single spaces kept between words."""
    lowered = expr.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
    lowered = lowered.str.replace_many(list(UNDECOMPOSED), list(UNDECOMPOSED.values()))
    bare = lowered.str.replace_all(_IN_BRACKETS, " ").str.strip_chars().str.replace(_SUFFIX, "")
    return bare.str.replace_all(r"[^a-z\s]", "").str.replace_all(r"\s+", " ").str.strip_chars()


def normalise(expr: pl.Expr) -> pl.Expr:
    """Return the name as it is compared: `plain` without spaces.

    Names of one player in several feeds give one text; null stays null.

    >>> pl.select(normalise(pl.lit("J.T. Realmuto")), b=normalise(pl.lit("Ronald Acuña Jr."))).row(0)
    ('jtrealmuto', 'ronaldacuna')
    """
    return plain(expr).str.replace_all(" ", "")


def with_suffix(expr: pl.Expr) -> pl.Expr:
    """Return the compared name followed by its suffix, null for a name without one.

    >>> pl.select(a=with_suffix(pl.lit("Luis García Jr.")), b=with_suffix(pl.lit("Luis García"))).row(0)
    ('luisgarcia jr', None)
    """
    suffix = expr.str.to_lowercase().str.strip_chars().str.extract(_SUFFIX, 1)
    return normalise(expr) + " " + suffix


def without_middle(expr: pl.Expr) -> pl.Expr:
    """Return the compared name without single letters in its middle: `Michael A. Taylor` becomes `michaeltaylor`."""
    return plain(expr).str.replace_all(r"(\s[a-z])+\s", " ").str.replace_all(" ", "")


def by_given_name(expr: pl.Expr) -> pl.Expr:
    """Return the compared name with the given name replaced by one that stands for its group: Matt for Matthew."""
    words = plain(expr).str.replace_all(r"(\s[a-z])+\s", " ").str.splitn(" ", 2)
    first = words.struct.field("field_0")
    one = {name: min(group) for group in GIVEN_NAMES for name in group}
    rest = words.struct.field("field_1").fill_null("").str.replace_all(" ", "")
    return first.replace(one) + rest
