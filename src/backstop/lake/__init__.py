"""The lake: Parquet tables by baseball day, the quarantine of rows that were refused, the ledger of what is done."""
