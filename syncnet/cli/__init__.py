"""The command line: flags in, one checked request out. Standard library only."""
