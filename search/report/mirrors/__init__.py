"""Mirrors: callbacks that copy the trials of a launch to other programs. `log_to.py` lists them."""
