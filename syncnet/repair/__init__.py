"""Sound that is off is put right: what to do about a file, doing it, and proving it."""
