"""What a run leaves for looking at beside its results: overlay videos, kept outputs, previews."""
