"""What a scored video leaves behind for looking at: curves and pictures beside its record."""
