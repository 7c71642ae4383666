"""Columns of values for PostgreSQL as arrays in its binary format, built in one go.

psycopg dumps a list element by element, and bytes in an escaped text form: for a commit of 500 decisions that costs more than
deciding them. The format is that of the server's `array_recv`: dimensions, a flag for NULLs, the element type's oid, each
dimension's length and lower bound, then each element's length and bytes (-1 for NULL), all integers big-endian
(https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/arrayfuncs.c).
"""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Integer, LargeBinary, String, Uuid
from sqlalchemy.types import TypeEngine, UserDefinedType

from parley.backends.sql.tables import Utc

NULL = b"\xff\xff\xff\xff"
HEADER = struct.Struct("!IIIII")
INT8 = struct.Struct("!q").pack
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Element(NamedTuple):
    """An element type: its name and its array's, their oids (`SELECT oid, typarray FROM pg_type`), and how a value becomes bytes."""

    name: str
    oid: int
    array_oid: int
    encode: Callable[[Any], bytes]


class Packed(NamedTuple):
    """An array as the server takes it."""

    element: Element
    content: bytes


TEXT = Element("text", 25, 1009, str.encode)
BYTES = Element("bytea", 17, 1001, bytes)
INTEGER = Element("int8", 20, 1016, INT8)
BOOLEAN = Element("bool", 16, 1000, lambda value: b"\x01" if value else b"\x00")
MOMENT = Element("timestamptz", 1184, 1185, lambda value: INT8((value - EPOCH) // MICROSECOND))
UUID = Element("uuid", 2950, 2951, lambda value: bytes.fromhex(value.replace("-", "")))

ELEMENTS: Sequence[tuple[type[TypeEngine[Any]], Element]] = (
    (Utc, MOMENT),
    (Uuid, UUID),
    (LargeBinary, BYTES),
    (Boolean, BOOLEAN),
    (Integer, INTEGER),
    (String, TEXT),
)
"""What stands for a column's type. Text of any length: a cast to VARCHAR(n) would cut what is too long without a word."""


class ArrayOf(UserDefinedType[Packed]):
    """SQLAlchemy's name for a packed array: passed to the driver as it is, which knows it by its oid."""

    cache_ok = True

    def __init__(self, element_name: str) -> None:
        self.element_name = element_name

    def get_col_spec(self, **options: Any) -> str:
        return f"{self.element_name}[]"


def element_of(column_type: TypeEngine[Any]) -> Element:
    return next(element for known, element in ELEMENTS if isinstance(column_type, known))


def pack(element: Element, values: Sequence[Any]) -> Packed:
    """One dimension, from 1. `None` is NULL."""
    parts = [HEADER.pack(1, 1, element.oid, len(values), 1)]
    for value in values:
        if value is None:
            parts.append(NULL)
        else:
            content = element.encode(value)
            parts.append(len(content).to_bytes(4, "big"))
            parts.append(content)
    return Packed(element, b"".join(parts))


def teach(connection: Any) -> None:
    """Let a psycopg connection send packed arrays."""
    from psycopg.adapt import Dumper, PyFormat
    from psycopg.pq import Format

    class PackedDumper(Dumper):
        format = Format.BINARY

        def get_key(self, obj: Packed, format: PyFormat) -> Any:
            return (self.cls, obj.element.array_oid)

        def upgrade(self, obj: Packed, format: PyFormat) -> "PackedDumper":
            upgraded = PackedDumper(self.cls)
            upgraded.oid = obj.element.array_oid
            return upgraded

        def dump(self, obj: Packed) -> bytes:
            return obj.content

    connection.adapters.register_dumper(Packed, PackedDumper)
