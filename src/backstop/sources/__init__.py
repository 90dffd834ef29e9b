"""Feeds as pure descriptions: what to ask (`plan`), whether the content is right (`inspect`), what it says (`parse`).

Nothing here does input or output. A row that arrives is in `Parsed.frame` or, with rule and reason, in
`Parsed.rejected`.
"""
