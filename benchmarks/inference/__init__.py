"""The inference worker beside the raw engine, on one GPU or, small, on the CPU: `python -m benchmarks.inference --help`."""
