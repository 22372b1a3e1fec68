"""What every package may use: text, logs, locks, stops, memory, files that appear whole."""
