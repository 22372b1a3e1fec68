"""What every package may use: text, logs, locks, stops, memory, temporary names."""
