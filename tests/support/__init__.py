"""What tests share. Tests import no other test file."""
