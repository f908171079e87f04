"""From trials to one model: confirm, race, select, read the held-out set, export, predict."""
