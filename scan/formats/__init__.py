"""Hits written for other programs: one writer a file. Knows nothing of how hits are found."""
