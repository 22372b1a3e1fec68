"""What an output folder remembers: the ledger, its records, the models it is pinned to."""
