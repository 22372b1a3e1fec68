"""A whole file on one time line: which ranges of it are in sync, and where its offset jumps or drifts."""
