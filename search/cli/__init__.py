"""The `pitsearch` command: one module for each group of commands. Parses, calls and prints."""
