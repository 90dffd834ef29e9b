"""The stages of a run: each a function over the house's rooms that does one thing and returns small values.

The tasks of Prefect wrap these; a benchmark or a test calls them as they are. Frames never travel between stages: they
lie in the lake, the archive or the run's folder, and what travels says where.
"""
