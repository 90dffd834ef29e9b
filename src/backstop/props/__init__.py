"""Projections and prices of player props: distributions from features, fair prices, the market's view, settlement.

`generate` turns features into probabilities per line, `price` compares them with quotes, `settle` and `grade` look
back.
"""
