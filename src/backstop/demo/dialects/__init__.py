"""How each feed words what it knows."""
