"""Many rows of many tables in few statements: the things that are said differently to PostgreSQL and to SQLite.

PostgreSQL gets a column as one array, which the server unpacks, and all tables of a commit in one statement: one round trip
instead of one for each, and a text that never changes, so that it stays prepared. SQLite has no network in between; there a
statement run for each row is the fastest.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Table,
    and_,
    any_,
    bindparam,
    case,
    column,
    delete,
    func,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DataError
from sqlalchemy.sql.dml import Delete, Insert, Update
from sqlalchemy.sql.elements import ColumnElement

from parley.backends.sql.arrays import ArrayOf, Element, Packed, element_of, pack
from parley.backends.sql.engine import reading

Row = dict[str, Any]
Kind = Literal["replace", "keep", "drop", "move"]
"""Insert, or replace the row whose primary key is taken; insert, or keep that row; delete; move a value (see `Writes.move`)."""

ROWS_AT_ONCE = 1_000
DIVISION_BY_ZERO = "22012"
ZERO: ColumnElement[int] = literal_column("0")
ONE: ColumnElement[int] = literal_column("1")
WAS, NOW = "was", "now"
T = TypeVar("T")


class Write(NamedTuple):
    """One table's part of a statement: its kind, and the names that its rows have values for."""

    table: Table
    kind: Kind
    names: tuple[str, ...]
    moved: str = ""

    @property
    def label(self) -> str:
        return f"{self.kind}_{self.table.name}"

    @property
    def inserts(self) -> bool:
        return self.kind in ("replace", "keep")


class Writes:
    """Collects rows to write, none depending on another; `run` writes them.

    All rows of one call have the same names.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[Write, list[Row]]] = []

    def put(self, table: Table, rows: Iterable[Row], taken: Literal["replace", "keep"]) -> None:
        """Insert. Of rows with the same primary key the last one counts where it replaces, the first where it keeps."""
        for part in in_parts(rows):
            self._parts.append((Write(table, taken, tuple(part[0])), part))

    def drop(self, table: Table, rows: Iterable[Row]) -> None:
        """Delete what has all the values of one of the rows."""
        for part in in_parts(rows):
            self._parts.append((Write(table, "drop", tuple(part[0])), part))

    def move(self, moved: Column[Any], rows: Iterable[Row]) -> None:
        """Compare and swap: the column becomes `now` where it is `was` (or both are NULL) and all other values are as given."""
        assert isinstance(moved.table, Table)  # and no subquery
        for part in in_parts(rows):
            self._parts.append((Write(moved.table, "move", tuple(part[0]), moved.name), part))

    def commit_at_once(self, engine: Engine, expected: Mapping[str, int]) -> bool:
        """On PostgreSQL, where one statement holds it all: write and commit in one round trip instead of three. False, and nothing is
        written, where it cannot be so, or where another number of rows than expected would change of one of these labels.
        """
        if engine.dialect.name != "postgresql" or _firsts(self._parts)[1]:
            return False
        statement, values = _filled(self._parts, frozenset(expected))
        try:
            with reading(engine) as connection:
                connection.exec_driver_sql(statement.sql, {**values, **statement.checks(expected)})
        except DataError as error:
            if getattr(error.orig, "sqlstate", None) == DIVISION_BY_ZERO:
                return False
            raise
        return True

    def run(self, connection: Connection) -> Counter[str]:
        """Returns how many rows changed, by `Write.label`: `move_partitions`, say."""
        changed: Counter[str] = Counter()
        parts = self._parts
        while parts:
            # A table stands once in a statement: of more than `ROWS_AT_ONCE` rows the rest goes into the next one.
            these, parts = _firsts(parts)
            run = _run_together if connection.dialect.name == "postgresql" else _run_each
            changed.update(run(connection, these))
        return changed


def put(connection: Connection, table: Table, rows: Iterable[Row], taken: Literal["replace", "keep"]) -> int:
    """`Writes.put` by itself. Returns how many rows it wrote."""
    writes = Writes()
    writes.put(table, rows, taken)
    return writes.run(connection).total()


def delete_older(moment: Column[Any], before: datetime, at_most: int) -> Delete:
    """The DELETE of rows whose moment is older, but of no more than so many: nobody has to wait long for the lock."""
    table = moment.table
    assert isinstance(table, Table)  # and no subquery
    keys = list(table.primary_key.columns)
    older = select(*keys).where(moment < before).limit(at_most)
    return delete(table).where(tuple_(*keys).in_(older))


def one_of(dialect: str, among: Column[Any], parameter: str) -> ColumnElement[bool]:
    """Whether the column holds one of the values bound to `parameter` by `bound_values`."""
    if dialect == "postgresql":
        return among == any_(bindparam(parameter, type_=ArrayOf(element_of(among.type).name)))
    return among.in_(bindparam(parameter, expanding=True))


def bound_values(dialect: str, among: Column[Any], values: Sequence[Any]) -> Any:
    """The values for a parameter of `one_of`."""
    return pack(element_of(among.type), values) if dialect == "postgresql" else values


def in_parts(items: Iterable[T], size: int = ROWS_AT_ONCE) -> Iterator[list[T]]:
    """Lists of at most `size`: a statement's parameters are limited in number (SQLite: 32,766) and in bytes."""
    left = iter(items)
    while part := list(islice(left, size)):
        yield part


def insert(dialect: str, table: Table) -> Any:
    """An INSERT that knows this database's ON CONFLICT; the dialects' classes share no type that has it."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _firsts(parts: list[tuple[Write, list[Row]]]) -> tuple[list[tuple[Write, list[Row]]], list[Any]]:
    """The first part of each table and kind, and the rest."""
    first: dict[str, tuple[Write, list[Row]]] = {}
    rest = [part for part in parts if first.setdefault(part[0].label, part) is not part]
    return list(first.values()), rest


def _run_each(connection: Connection, parts: Sequence[tuple[Write, list[Row]]]) -> dict[str, int]:
    changed = {}
    for write, rows in parts:
        statement = _each(write)
        result = connection.exec_driver_sql(
            statement.sql,
            [statement.values(row) for row in rows],
            execution_options={"preserve_rowcount": True},
        )
        changed[write.label] = result.rowcount
    return changed


def _run_together(connection: Connection, parts: Sequence[tuple[Write, list[Row]]]) -> dict[str, int]:
    statement, arrays = _filled(parts)
    counts = connection.exec_driver_sql(statement.sql, arrays).one()
    return {write.label: count for (write, _), count in zip(parts, counts, strict=True)}


def _filled(
    parts: Sequence[tuple[Write, list[Row]]], checked: frozenset[str] = frozenset()
) -> "tuple[Together, dict[str, Packed]]":
    """The statement and the values of its parameters."""
    statement = _together(tuple(write for write, _ in parts), checked)
    arrays: dict[str, Packed] = {}
    for (write, rows), parameters in zip(parts, statement.parameters, strict=True):
        once = _without_repeats(write.table, rows) if write.kind == "replace" else rows
        for name, element, parameter in parameters:
            arrays[parameter] = pack(element, [row[name] for row in once])
    return statement, arrays


def _without_repeats(table: Table, rows: list[Row]) -> list[Row]:
    """PostgreSQL refuses to replace the same row twice in one statement."""
    keys = [key.name for key in table.primary_key]
    last = {tuple(row[key] for key in keys): row for row in rows}
    return rows if len(last) == len(rows) else list(last.values())


# Making a statement costs more than running it on a small batch, so each is made once.


class Together(NamedTuple):
    """A statement for several writes, compiled. For each write the rows' names, with their element types and parameters."""

    sql: str
    parameters: tuple[tuple[tuple[str, Element, str], ...], ...]
    checked: tuple[str, ...]

    def checks(self, expected: Mapping[str, int]) -> dict[str, int]:
        return {f"n{at}": expected[label] for at, label in enumerate(self.checked)}


@cache
def _together(writes: tuple[Write, ...], checked: frozenset[str]) -> Together:
    """WITH all of them SELECT their counts: they run in no order, which is why none may depend on another.

    With `checked` labels it divides by zero, and so undoes itself, where another number of their rows changed than is bound to `n0`, `n1`, …
    """
    counts, parameters = [], []
    for number, write in enumerate(writes):
        # Short names: a driver keeps what it has parsed of a statement only up to a certain length.
        named = tuple(
            (name, element_of(_column(write, name).type), f"p{number}_{at}")
            for at, name in enumerate(write.names)
        )
        statement = _from_arrays(write, named).returning(write.table.primary_key.columns[0])
        counts.append(select(func.count()).select_from(statement.cte(f"w{number}")).scalar_subquery())
        parameters.append(named)
    ours = tuple(write.label for write in writes if write.label in checked)
    by_label = {write.label: count for write, count in zip(writes, counts, strict=True)}
    right = [by_label[label] == bindparam(f"n{at}", type_=BigInteger) for at, label in enumerate(ours)]
    chosen = [*counts, ONE / case((and_(*right), ONE), else_=ZERO)] if right else counts
    compiled = select(*chosen).compile(dialect=PGDialect_psycopg())  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it unannotated
    return Together(str(compiled), tuple(parameters), ours)


def _from_arrays(write: Write, named: Sequence[tuple[str, Element, str]]) -> Any:
    """The write's statement with `unnest`, an array for each name, as the table that it reads from."""
    arrays = [bindparam(parameter, type_=ArrayOf(element.name)) for _, element, parameter in named]
    shape = [column(name, _column(write, name).type) for name, _, _ in named]
    given = func.unnest(*arrays).table_valued(*shape, name=f"g{named[0][2]}").render_derived()
    if write.inserts:
        return _settled(insert("postgresql", write.table).from_select(write.names, select(*given.c)), write)
    return _changed(write, {name: given.c[name] for name in write.names})


class Each(NamedTuple):
    """A statement for one row, compiled. In the order of its question marks, the row's names and how a value is made the driver's."""

    sql: str
    binds: tuple[tuple[str, Callable[[Any], Any] | None], ...]

    def values(self, row: Row) -> tuple[Any, ...]:
        return tuple([row[name] if made is None else made(row[name]) for name, made in self.binds])


@cache
def _each(write: Write) -> Each:
    dialect = sqlite.dialect()
    # SQLAlchemy keeps the columns' own names for what is inserted and set.
    given = "" if write.inserts else "given_"
    if write.inserts:
        statement: Any = _settled(insert("sqlite", write.table), write)
    else:
        statement = _changed(
            write, {n: bindparam(given + n, type_=_column(write, n).type) for n in write.names}
        )
    compiled = statement.compile(dialect=dialect, column_keys=list(write.names) if write.inserts else None)
    names = [each.removeprefix(given) for each in compiled.positiontup]
    types = [_column(write, name).type.dialect_impl(dialect) for name in names]
    binds = zip(names, [each.bind_processor(dialect) for each in types], strict=True)
    return Each(str(compiled), tuple(binds))


def _settled(statement: Any, write: Write) -> Insert:
    """The INSERT with what becomes of a primary key that is taken."""
    keys = [key.name for key in write.table.primary_key]
    settled: Insert
    if write.kind == "keep":
        settled = statement.on_conflict_do_nothing(index_elements=keys)
    else:
        others = {name: statement.excluded[name] for name in write.names if name not in keys}
        settled = statement.on_conflict_do_update(index_elements=keys, set_=others)
    return settled


def _changed(write: Write, given: Mapping[str, ColumnElement[Any]]) -> Update | Delete:
    """The DELETE or UPDATE of the rows that are as given."""
    alike = [write.table.c[name] == value for name, value in given.items() if name not in (WAS, NOW)]
    if write.kind == "drop":
        return delete(write.table).where(*alike)
    moved = write.table.c[write.moved]
    return (
        update(write.table)
        .where(*alike, moved.is_not_distinct_from(given[WAS]))
        .values({write.moved: given[NOW]})
    )


def _column(write: Write, name: str) -> Column[Any]:
    return write.table.c[write.moved if name in (WAS, NOW) else name]
