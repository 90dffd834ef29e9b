"""The Odds API v4: events and player props, live and historical.

Key as query parameter, credits per market and region, 30 requests/s; last checked 2026-05.
"""
