"""The script of the counts of all workers."""

from __future__ import annotations

from typing import Final

ADD: Final = """
-- KEYS counts; ARGV life_ms, then field and amount by turns: adds, and returns fields and totals by turns
for i = 2, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('HGETALL', KEYS[1])
"""
