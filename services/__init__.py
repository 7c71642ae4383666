"""The HTTP doors: one package a service."""
