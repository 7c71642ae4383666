"""The contracts of Parley: events, topics, tenant folders. Pure: no I/O, no clock, nothing of the platform imported."""
