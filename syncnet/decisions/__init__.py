"""What people decided: read from files, kept in the output folder, found again by video."""
