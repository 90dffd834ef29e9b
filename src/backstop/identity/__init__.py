"""One player across feeds: the MLBAM id is the spine, names are matched within the two teams of a game."""
