"""How Prefect calls the library: names, retries, artifacts; no logic of the domain.

Each task wraps one stage of `backstop.stages`. What travels between tasks are small values that say where rows lie.
"""
