"""What benchmarks share: timers, tables, the plain script to compare with, trials that train nothing."""
