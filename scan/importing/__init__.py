"""Readers of what others keep pits in, one a file; `run.py` lists them and writes a data-set folder of what they give."""
