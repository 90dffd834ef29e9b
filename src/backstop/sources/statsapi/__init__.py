"""MLB Stats API: schedule, line-ups, box scores, people, rosters, the live feed.

No key. Terms: gdx.mlb.com/components/copyright.txt (individual, non-commercial, non-bulk use); last checked 2026-08.
"""
