"""What Parley needs from the world, as Protocols: one module a port, no implementation, no backend imported."""
