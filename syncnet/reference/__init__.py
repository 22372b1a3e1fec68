"""The published preprocessing with its lossy passes, for numbers that compare with papers."""
