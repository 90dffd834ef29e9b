"""The HTTP API: slates, players, props, generation, health, metrics, live updates and the board."""
