"""The `parley` command: one module a family of commands. Outermost ring: it may import everything, nothing imports it."""
