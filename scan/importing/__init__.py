"""Pits that other programs wrote down, as a data-set folder: one reader a file."""
