"""How many videos at once, and what is done with each one."""
