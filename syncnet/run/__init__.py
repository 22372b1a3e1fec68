"""One run over a folder: what there is to do, and doing it."""
