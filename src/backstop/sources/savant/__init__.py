"""Baseball Savant: pitches by day and leaderboards, both as CSV. Undocumented, no key; last checked 2026-08."""
