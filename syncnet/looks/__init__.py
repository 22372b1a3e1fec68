"""What a run leaves for looking at beside its results: overlay videos and kept outputs."""
