"""Tests of the scan."""
