"""The format in which each feed answers."""
