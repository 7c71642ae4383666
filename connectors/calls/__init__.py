"""Phone calls. Here: importers of finished calls' transcripts, pure functions from a file's bytes to `Transcript`."""
