"""Numbers of a folder as papers report them: protocols, statistics, tables."""
