"""Benchmarks: `python -m benchmarks NAME` prints one JSON line each; `make bench` runs them all. No figure is asserted here."""
