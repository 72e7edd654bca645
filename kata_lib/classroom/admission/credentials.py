"""The class's codes and the tokens that they are exchanged for, in the board's file.

Tokens are kept as their SHA-256, so that the file lets nobody write for a learner; the codes as they are,
since they stand on a projector.
"""

import hashlib
import secrets
import sqlite3
from typing import Literal

Role = Literal["learner", "instructor"]

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are mistaken for others on a projector."""
_LENGTH = {"learner": 8, "instructor": 16}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS codes (role TEXT PRIMARY KEY, code TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (
  hash BLOB PRIMARY KEY, role TEXT NOT NULL, learner INTEGER REFERENCES learners ON DELETE CASCADE
);
"""


class Credentials:
    """Codes and tokens in a database that has the learners, too."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(_SCHEMA)

    def code(self, role: Role) -> str:
        """Return what lets somebody in, made where there is none."""
        found = self._database.execute("SELECT code FROM codes WHERE role = ?", (role,)).fetchone()
        return str(found[0]) if found else self.renew(role)

    def renew(self, role: Role) -> str:
        """Make a new code: the old one lets nobody in any more, and instructors are asked for the new one."""
        code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH[role]))
        with self._database:
            self._database.execute("BEGIN")
            self._database.execute("REPLACE INTO codes VALUES (?, ?)", (role, code))
            if role == "instructor":
                self._database.execute("DELETE FROM tokens WHERE role = 'instructor'")
        return code

    def admits(self, role: Role, code: str) -> bool:
        """Return whether this is the code, in a time that tells nothing of it."""
        return secrets.compare_digest(self.code(role).encode(), code.strip().lower().encode())

    def token(self, role: Role, learner: int | None = None) -> str:
        """Make a token for an instructor's browser, or for a learner's kernel or browser."""
        token = secrets.token_urlsafe(32)
        self._database.execute("INSERT INTO tokens VALUES (?, ?, ?)", (_hash(token), role, learner))
        return token

    def is_instructor(self, token: str) -> bool:
        """Return whether a token is an instructor's."""
        return self._owner(token) == ("instructor", None)

    def learner(self, token: str) -> int | None:
        """Return the number of the learner for whom a token speaks, None where it is nobody's."""
        role, learner = self._owner(token)
        return learner if role == "learner" else None

    def _owner(self, token: str) -> tuple[str | None, int | None]:
        found = self._database.execute("SELECT role, learner FROM tokens WHERE hash = ?", (_hash(token),))
        return found.fetchone() or (None, None)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
