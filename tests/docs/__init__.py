"""Tests of the scripts in docs/."""
