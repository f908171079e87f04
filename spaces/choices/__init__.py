"""One table of choices a file. To add a choice, add one entry to its table."""
