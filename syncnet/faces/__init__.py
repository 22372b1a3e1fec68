"""From frames to face crops: shots, faces, tracks, crops."""
