"""Start a search: the launch, its callbacks, and executors on processes, Dask and batch systems."""
