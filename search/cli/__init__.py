"""The `pitsearch` command: one module a group of commands. Parses, calls and prints."""
