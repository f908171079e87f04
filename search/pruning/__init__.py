"""Whom to promote and whom to stop: the rule of promotion, pruners by name, and the audit of what they end."""
