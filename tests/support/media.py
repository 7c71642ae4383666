"""A store of customers' files in this process's memory."""

from uuid import uuid4

from parley.backends.media_files import MediaFiles, Remote
from parley.codec import Codec


def memory_media(codec: Codec) -> MediaFiles:
    """Its own, whatever else is in memory."""
    from fsspec.implementations.memory import MemoryFileSystem

    name = uuid4().hex
    return MediaFiles(Remote(MemoryFileSystem(), f"/{name}", f"memory://{name}"), codec)
