"""One file per change of the ledger's table, oldest first."""
