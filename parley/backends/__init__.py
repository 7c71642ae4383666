"""The backends: one technology a file, each behind a port of `parley.ports`."""
