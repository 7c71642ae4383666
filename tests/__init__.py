"""Tests: unit, replay, contract, integration, e2e and chaos; `support` holds what they share."""
