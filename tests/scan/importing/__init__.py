"""Tests of the import of foreign pits."""
