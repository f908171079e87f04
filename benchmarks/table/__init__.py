"""A recorded table of whole trainings, so that policies of searching can be judged in seconds by replay."""
