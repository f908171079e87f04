"""Policies of searching, judged by replay on the recorded table."""
