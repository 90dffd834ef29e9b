"""The Redis store: a slate is written as one version, verified, and flipped to atomically."""
