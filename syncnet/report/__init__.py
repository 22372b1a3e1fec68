"""What a run tells: results file, tables, page, terminal."""
