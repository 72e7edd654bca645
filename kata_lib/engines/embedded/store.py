"""Every object and its history in one SQLite file, each write under the next resource version.

Flows in: objects as plain JSON dicts. Flows out: their current state, what changed since a resource version,
and an Event to every subscriber as soon as a write is committed. Nothing acknowledged is lost when the
process is killed: a write returns after its commit.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

Obj = dict[str, Any]

log = logging.getLogger(__name__)

HISTORY_KEPT = 5000
"""How many writes back a watch can resume; older ones are compacted away."""

COMPACT_EVERY = 500

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    resource TEXT, namespace TEXT, name TEXT, body TEXT NOT NULL,
    PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
    revision INTEGER PRIMARY KEY, type TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL,
    name TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS history_of_object ON history (resource, namespace, name, revision);
CREATE TABLE IF NOT EXISTS revisions (only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    current INTEGER NOT NULL, compacted INTEGER NOT NULL);
INSERT OR IGNORE INTO revisions VALUES (1, 1, 0);
"""


class Compacted(Exception):
    """The history asked for is no longer kept."""


class DiskFull(Exception):
    """The disk has no room for a write, and nothing of it was kept."""


@dataclass(frozen=True)
class Event:
    """One write: `object` is the state after it (of a deletion the last one, under the deletion's version).

    `old` is the state before it, or None for an addition. Subscribers share both: neither may be changed.
    """

    type: str
    resource: str
    object: Obj
    old: Obj | None


class Store:
    """Objects by (resource, namespace, name); a namespace of "" is that of cluster-wide objects."""

    def __init__(self, path: Path | str, *, history_kept: int = HISTORY_KEPT) -> None:
        self._path = path
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {SCHEMA}")
        self._revision, self._compacted = self._db.execute(
            "SELECT current, compacted FROM revisions"
        ).fetchone()
        self._history_kept = history_kept
        self._subscribers: list[Callable[[Event], None]] = []

    @property
    def revision(self) -> int:
        """The resource version of the latest write."""
        return int(self._revision)

    @property
    def compacted(self) -> int:
        """The resource version before which history is no longer known."""
        return int(self._compacted)

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        """Return the object, the caller's own copy, or None."""
        row = self._db.execute(
            "SELECT body FROM objects WHERE resource = ? AND namespace = ? AND name = ?",
            (resource, namespace, name),
        ).fetchone()
        return _decoded(row[0]) if row else None

    def names(self, resource: str) -> list[tuple[str, str]]:
        """Return namespace and name of every object of a resource, without reading any of them."""
        query = "SELECT namespace, name FROM objects WHERE resource = ? ORDER BY namespace, name"
        return self._db.execute(query, (resource,)).fetchall()

    def list(self, resource: str, namespace: str | None = None) -> list[Obj]:
        """Return the objects of one namespace, or of all where it is None, by namespace and name."""
        return list(self.each(resource, namespace))

    def each(self, resource: str, namespace: str | None = None) -> Iterator[Obj]:
        """Return what `list` does as of this moment; each object is decoded when it is taken."""
        query, values = "SELECT body FROM objects WHERE resource = ?", [resource]
        if namespace is not None:
            query, values = f"{query} AND namespace = ?", [resource, namespace]
        rows = self._db.execute(f"{query} ORDER BY namespace, name", values).fetchall()
        return (_decoded(body) for (body,) in rows)

    def put(self, resource: str, namespace: str, name: str, obj: Obj) -> Obj:
        """Write the object and return it; its metadata.resourceVersion is set to the new one."""
        old = self.get(resource, namespace, name)
        event = Event("MODIFIED" if old else "ADDED", resource, obj, old)
        self._commit(event, namespace, name)
        return obj

    def delete(self, resource: str, namespace: str, name: str) -> Obj | None:
        """Remove the object; return its last state under the deletion's resource version, or None."""
        obj = self.get(resource, namespace, name)
        if obj is not None:
            old = {**obj, "metadata": dict(obj["metadata"])}
            self._commit(Event("DELETED", resource, obj, old), namespace, name)
        return obj

    def history(self, since: int, resource: str, namespace: str | None = None) -> Iterator[Event]:
        """Return the events of one resource after a resource version; raise Compacted if some are gone."""
        if since < self._compacted:
            raise Compacted(f"too old resource version: {since} ({self._compacted})")
        query = (
            "SELECT type, body, (SELECT body FROM history AS before WHERE before.resource = now.resource"
            " AND before.namespace = now.namespace AND before.name = now.name"
            " AND before.revision < now.revision ORDER BY before.revision DESC LIMIT 1)"
            " FROM history AS now WHERE revision > ? AND resource = ? AND (? IS NULL OR namespace = ?)"
            " ORDER BY revision"
        )
        rows = self._db.execute(query, (since, resource, namespace, namespace)).fetchall()
        return (
            Event(type_, resource, _decoded(body), _decoded(old) if old and type_ != "ADDED" else None)
            for type_, body, old in rows
        )

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call back after each commit, in the order of the writes; return what ends it."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def close(self) -> None:
        """Close the file; nothing is lost without it."""
        self._db.close()

    def _commit(self, event: Event, namespace: str, name: str) -> None:
        revision = self._revision + 1
        event.object["metadata"]["resourceVersion"] = str(revision)
        body = msgspec.json.encode(event.object).decode()
        key = (event.resource, namespace, name)
        with self._written_whole():
            if event.type == "DELETED":
                self._db.execute("DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?", key)
            else:
                self._db.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", (*key, body))
            self._db.execute(
                "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?)", (revision, event.type, *key, body)
            )
            self._db.execute("UPDATE revisions SET current = ?", (revision,))
        self._revision = revision
        if revision % COMPACT_EVERY == 0 and revision - self._history_kept > self._compacted:
            self.compact(revision - self._history_kept)
        for callback in tuple(self._subscribers):
            try:
                callback(event)
            except Exception:  # what is written is written, and the others have to hear of it
                log.exception("a subscriber failed at %s of %s %s/%s", event.type, *key)

    def compact(self, revision: int) -> None:
        """Forget the history up to a resource version, but for each living object's last state in it."""
        with self._written_whole():
            self._db.execute(
                "DELETE FROM history WHERE revision <= ?1 AND (type = 'DELETED' OR EXISTS ("
                "SELECT 1 FROM history AS later WHERE later.resource = history.resource"
                " AND later.namespace = history.namespace AND later.name = history.name"
                " AND later.revision > history.revision AND later.revision <= ?1))",
                (revision,),
            )
            self._db.execute("UPDATE revisions SET compacted = ?", (revision,))
        self._compacted = revision

    @contextmanager
    def _written_whole(self) -> Iterator[None]:
        """Commit what is executed, or none of it; raise DiskFull where there is no room."""
        try:
            with self._db:
                self._db.execute("BEGIN")
                yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            raise DiskFull(f"The disk of {self._path} is full; nothing of this was written.") from error


def _decoded(body: str) -> Obj:
    obj: Obj = msgspec.json.decode(body)
    return obj
