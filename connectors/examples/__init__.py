"""Connectors to copy: each is found and served as those beside this folder are."""
