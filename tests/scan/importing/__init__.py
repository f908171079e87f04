"""Tests of the readers of what others keep pits in."""
