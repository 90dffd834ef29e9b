"""SportRadar MLB and its player props: the second source of schedule and odds.

Key in the header `x-api-key`; a trial allows 1 request/s and 1,000 a month; last checked 2026-05.
"""
