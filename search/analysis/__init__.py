"""Questions to a study: its state, which axes mattered, learning curves, what failures go with."""
