"""good_quality/ and poor_quality/: copies, links and moves."""
