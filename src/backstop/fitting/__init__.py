"""Fits the model's numbers on past seasons: those that ship, and a league's own.

`rows` gathers what was known before each game of the training window and what then happened; `shrinkage`, `refinement`,
`workload`, `turns` and `ladders` fit one part each, `model` puts them together and weighs a fit against another.
"""
