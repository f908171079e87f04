"""What pitsearch costs, measured against a plain script and against the machine. Run with `make bench`."""
