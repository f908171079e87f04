"""What a search costs with more pits and workers than were at hand: a simulation fed with measured costs, and sizes."""
