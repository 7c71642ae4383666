"""The workers: deciders (dialogue, assignment, feedback) and effectors (intent, RAG, inference, analysis)."""
