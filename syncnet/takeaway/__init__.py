"""What people take away from a run: ranges as lists that editors, players and training sets read, and as cut clips."""
