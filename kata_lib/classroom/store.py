"""What the board keeps, in one SQLite file that only its owner may read: codes, learners, their messages.

What was answered is on disk: a restart loses nothing. Tokens are kept as their SHA-256, so that the file lets
nobody write for a learner; the codes as they are, since they stand on a projector.
"""

import hashlib
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from kata_lib.course.outbox.messages import Said

Role = Literal["learner", "instructor"]

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are mistaken for others on a projector."""
_LENGTH = {"learner": 8, "instructor": 16}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS codes (role TEXT PRIMARY KEY, code TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (hash BLOB PRIMARY KEY, role TEXT NOT NULL, learner INTEGER);
CREATE TABLE IF NOT EXISTS learners (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
  learner INTEGER NOT NULL REFERENCES learners ON DELETE CASCADE,
  id TEXT NOT NULL, received REAL NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (learner, id)
);
"""


@dataclass(frozen=True)
class Learner:
    """Someone who joined; name: what they want to be listed by."""

    id: int
    name: str


@dataclass(frozen=True)
class Received:
    """A message and when the board had it, in seconds since 1970 by the board's clock."""

    learner: int
    received: float
    message: Said


class Store:
    """One class's file; made where it is not there. Used by one thread."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(0o600)
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.executescript("PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;" + _SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def code(self, role: Role) -> str:
        """Return what lets somebody in, made where there is none."""
        found = self._database.execute("SELECT code FROM codes WHERE role = ?", (role,)).fetchone()
        return str(found[0]) if found else self.renew(role)

    def renew(self, role: Role) -> str:
        """Make a new code: the old one lets nobody in any more, and instructors are asked for the new one."""
        code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH[role]))
        with self._transaction():
            self._database.execute("REPLACE INTO codes VALUES (?, ?)", (role, code))
            if role == "instructor":
                self._database.execute("DELETE FROM tokens WHERE role = 'instructor'")
        return code

    def admits(self, role: Role, code: str) -> bool:
        """Return whether this is the code, in a time that tells nothing of it."""
        return secrets.compare_digest(self.code(role).encode(), code.strip().lower().encode())

    def instructor(self) -> str:
        """Return a token for an instructor's browser."""
        return self._token("instructor", None)

    def join(self, name: str) -> tuple[Learner, str]:
        """Add a learner; return them with the token that speaks for them."""
        made = self._database.execute("INSERT INTO learners (name) VALUES (?)", (name,))
        assert made.lastrowid is not None
        return Learner(made.lastrowid, name), self._token("learner", made.lastrowid)

    def _token(self, role: Role, learner: int | None) -> str:
        token = secrets.token_urlsafe(32)
        self._database.execute("INSERT INTO tokens VALUES (?, ?, ?)", (_hash(token), role, learner))
        return token

    def is_instructor(self, token: str) -> bool:
        """Return whether a token is an instructor's."""
        return self._owner(token) == ("instructor", None)

    def learner(self, token: str) -> Learner | None:
        """Return who a token speaks for; None where it is nobody's, or no longer."""
        role, learner = self._owner(token)
        if role != "learner":
            return None
        found = self._database.execute("SELECT id, name FROM learners WHERE id = ?", (learner,)).fetchone()
        return Learner(*found) if found else None

    def _owner(self, token: str) -> tuple[str | None, int | None]:
        found = self._database.execute("SELECT role, learner FROM tokens WHERE hash = ?", (_hash(token),))
        return found.fetchone() or (None, None)

    def forget(self, learner: Learner) -> None:
        """Remove all there is of a learner."""
        with self._transaction():
            self._database.execute("DELETE FROM tokens WHERE learner = ?", (learner.id,))
            self._database.execute("DELETE FROM learners WHERE id = ?", (learner.id,))

    def learners(self) -> list[Learner]:
        """Return everyone who joined, in that order."""
        return [Learner(*row) for row in self._database.execute("SELECT id, name FROM learners ORDER BY id")]

    def add(self, learner: Learner, messages: Iterable[Said], now: float) -> list[Received]:
        """Keep messages; return those that are new: of one that was kept before only the first counts."""
        added = []
        with self._transaction():
            for message in messages:
                row = (learner.id, message.id, now, msgspec.json.encode(message))
                done = self._database.execute("INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?)", row)
                if done.rowcount:
                    added.append(Received(learner.id, now, message))
        return added

    def messages(self, learner: Learner | None = None) -> Iterator[Received]:
        """Yield everything that was kept, of one learner or of all, in the order of its arrival."""
        where, values = ("WHERE learner = ?", (learner.id,)) if learner else ("", ())
        asked = f"SELECT learner, received, body FROM messages {where} ORDER BY received, rowid"
        for who, received, body in self._database.execute(asked, values):
            yield Received(who, received, msgspec.json.decode(body, type=Said))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Write all of it or nothing."""
        with self._database:
            self._database.execute("BEGIN")
            yield


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
