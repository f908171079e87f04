"""Sections of the report: each a file whose `section` lays out one question to a study."""
