"""`parley status`: who is up, and how far behind each group is."""

import logging
from collections.abc import Callable
from functools import partial

import typer

from parley.cli.admin import specs
from parley.cli.common import JsonOption, platform, print_json, table
from parley.errors import ParleyError, TransientError
from schemas.topics import TOPICS, dead_letter_topic
from workers.wiring import BUILDERS, Platform, lookup, retriever


def status(as_json: JsonOption = False) -> None:
    """Bus, database, search index, gateway, and for each worker's group its members and its lag in records. Exit 1 if something is down."""
    with platform() as opened:
        logging.getLogger("kafka").setLevel(logging.CRITICAL)  # a bus that is down is told once, below
        probes = {"database": _database, "index": _index, "gateway": _gateway}
        parts = [(name, _try(partial(probe, opened))) for name, probe in probes.items()]
        groups, bus = _groups(opened)
        letters = _dead_letters(opened) if bus == "up" else {}
    parts.insert(0, ("bus", bus))
    down = [name for name, state in parts if state != "up"] + [g["group"] for g in groups if not g["members"]]
    if as_json:
        print_json({"parts": dict(parts), "groups": groups, "dead_letters": letters, "down": down})
    else:
        table(parts, ("part", "state"))
        typer.echo("")
        table(
            [(str(g["group"]), str(g["members"]), str(g["lag"])) for g in groups], ("group", "members", "lag")
        )
        for topic, count in letters.items():
            typer.echo(f"\n{count} dead letters in {topic}: parley dlq list")
    if down:
        raise typer.Exit(1)


def _groups(opened: Platform) -> tuple[list[dict[str, object]], str]:
    admin = opened.bus.admin()
    try:
        missing = {spec.name for spec in specs(opened.settings)} - set(admin.topics())
        if missing:
            return [], f"not ready: {len(missing)} topics are missing; run: parley topics apply"
        return [
            {"group": name, "members": admin.members(name), "lag": sum(admin.lag(name).values())}
            for name in BUILDERS
        ], "up"
    except ParleyError as error:
        return [], f"down: {error}"
    finally:
        admin.close()


def _dead_letters(opened: Platform) -> dict[str, int]:
    """How many records each dead-letter topic holds, those that hold none left out."""
    names = [dead_letter_topic(topic.name) for topic in TOPICS if topic.dead_letters]
    reader = opened.bus.reader(names, start="earliest")
    try:
        partitions = reader.assignment()
        first, end = reader.beginning_offsets(partitions), reader.end_offsets(partitions)
    finally:
        reader.close()
    counts: dict[str, int] = {}
    for partition in partitions:
        counts[partition.topic] = counts.get(partition.topic, 0) + end[partition] - first[partition]
    return {topic: count for topic, count in sorted(counts.items()) if count}


def _database(opened: Platform) -> None:
    opened.store.versions()  # more than a ping: it tells a database without tables too


def _index(opened: Platform) -> None:
    """Whether every tenant's current version is there; the worker writes what is missing when it is first asked for."""
    searches = retriever(opened)
    indexed = lookup(searches).ready
    try:
        current = [each for each in opened.store.versions() if each.current]
        missing = [each.tenant for each in current if not indexed(each.tenant, each.version)]
    finally:
        searches.close()
    if missing:
        raise TransientError(f"not indexed yet: {', '.join(missing)}")


def _gateway(opened: Platform) -> None:
    import httpx

    try:
        response = httpx.get(f"{opened.settings.url}/readyz", timeout=3.0)
    except httpx.HTTPError as error:
        raise TransientError(f"{opened.settings.url} does not answer") from error
    if response.status_code != 200:
        raise TransientError(f"not ready: {response.text[:200]}")


def _try(probe: Callable[[], None]) -> str:
    try:
        probe()
    except ParleyError as error:
        return f"down: {error}"
    return "up"
