"""Whom to stop: pruners by name, and the audit of what they end."""
