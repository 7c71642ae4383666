"""Parley's shared library: the domain, the ports, the runtime and the backends that every deployable uses."""

__version__ = "0.1.0"
