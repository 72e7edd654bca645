"""What the board keeps, in one SQLite file that only its owner may read: learners, messages, what stands.

What was answered is on disk: a restart loses nothing. Codes and tokens lie in the same file (credentials.py).
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kata_lib.classroom.standing import Standing
from kata_lib.course.inbox.told import Offer
from kata_lib.course.outbox.messages import Answer, Report, Said
from kata_lib.errors import KataError

MOST_KEPT = 5_000
"""Messages of one learner; of more the oldest give way."""
LONGEST_WAY_SECONDS = 30 * 86_400.0
"""What arrives later than that after it was said counts as said then."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS learners (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, joined REAL NOT NULL, account TEXT UNIQUE
);
CREATE TABLE IF NOT EXISTS messages (
  learner INTEGER NOT NULL REFERENCES learners ON DELETE CASCADE,
  id TEXT NOT NULL, received REAL NOT NULL, body BLOB NOT NULL, is_report INTEGER NOT NULL,
  PRIMARY KEY (learner, id)
);
CREATE TABLE IF NOT EXISTS offers (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  learner INTEGER NOT NULL REFERENCES learners ON DELETE CASCADE,
  step TEXT NOT NULL, accepted INTEGER
);
CREATE TABLE IF NOT EXISTS standing (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), body BLOB NOT NULL);
"""


@dataclass(frozen=True)
class Learner:
    """Someone of the class; name: what they are listed by. joined: seconds since 1970."""

    id: int
    name: str
    joined: float = 0.0


@dataclass(frozen=True)
class Received:
    """A message and when it was said, in seconds since 1970 by the board's clock."""

    learner: int
    received: float
    message: Said


@dataclass(frozen=True)
class Offered:
    """The last offer to a learner; accepted: None while it is open."""

    offer: Offer
    accepted: bool | None


class Store:
    """One class's file; made where it is not there, KataError for a damaged one. Used by one thread."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(0o600)
        self.database = sqlite3.connect(file, isolation_level=None)
        try:
            self.database.executescript("PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;" + _SCHEMA)
            self.learners()
            self.standing()
        except (sqlite3.DatabaseError, msgspec.MsgspecError) as error:
            self.database.close()
            raise KataError(f"{file} holds no class that can be read: {error}. Move it away.") from error

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def join(self, name: str, now: float) -> Learner:
        """Add a learner."""
        return self._added(name, now, None)

    def of_account(self, account: str, now: float) -> Learner:
        """Return the learner who has an account elsewhere, such as a hub's; the first time they are added."""
        found = self.database.execute("SELECT id, name, joined FROM learners WHERE account = ?", (account,))
        row = found.fetchone()
        return Learner(*row) if row else self._added(account, now, account)

    def _added(self, name: str, now: float, account: str | None) -> Learner:
        row = (name, now, account)
        made = self.database.execute("INSERT INTO learners (name, joined, account) VALUES (?, ?, ?)", row)
        assert made.lastrowid is not None
        return Learner(made.lastrowid, name, now)

    def learner(self, number: int) -> Learner | None:
        """Return the learner with this number, None where there is none, or no longer."""
        found = self.database.execute(
            "SELECT id, name, joined FROM learners WHERE id = ?", (number,)
        ).fetchone()
        return Learner(*found) if found else None

    def forget(self, learner: Learner) -> None:
        """Remove all there is of a learner."""
        with self._transaction():
            self.database.execute("DELETE FROM learners WHERE id = ?", (learner.id,))

    def learners(self) -> list[Learner]:
        """Return everyone who joined, in that order."""
        rows = self.database.execute("SELECT id, name, joined FROM learners ORDER BY id")
        return [Learner(*row) for row in rows]

    def add(
        self, learner: Learner, messages: Iterable[Said], now: float, sent: float = 0.0
    ) -> list[Received]:
        """Keep messages; return those that are new: of one that was kept before only the first counts.

        sent: when they were sent by their sender's clock, which says how long ago each was said.
        """
        added = []
        with self._transaction():
            for message in messages:
                said = now - min(max(0.0, sent - message.when), LONGEST_WAY_SECONDS)
                if self._insert(learner, message, said):
                    added.append(Received(learner.id, said, message))
            self._trim(learner)
        return added

    def _insert(self, learner: Learner, message: Said, said: float) -> bool:
        is_report = isinstance(message, Report)
        row = (learner.id, message.id, said, msgspec.json.encode(message), is_report)
        done = self.database.execute("INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?, ?)", row)
        if not done.rowcount:
            return False
        match message:
            case Report():
                others = (learner.id, message.id)
                self.database.execute(
                    "DELETE FROM messages WHERE learner = ? AND is_report AND id != ?", others
                )
            case Answer():
                answered = (message.accepted, message.offer, learner.id)
                self.database.execute(
                    "UPDATE offers SET accepted = ? WHERE number = ? AND learner = ? AND accepted IS NULL",
                    answered,
                )
        return True

    def _trim(self, learner: Learner) -> None:
        kept = "SELECT id FROM messages WHERE learner = ? ORDER BY rowid DESC LIMIT ?"
        (count,) = self.database.execute(
            "SELECT count(*) FROM messages WHERE learner = ?", (learner.id,)
        ).fetchone()
        if count > MOST_KEPT:
            self.database.execute(
                f"DELETE FROM messages WHERE learner = ? AND id NOT IN ({kept})",
                (learner.id, learner.id, MOST_KEPT),
            )

    def messages(self, learner: Learner | None = None) -> Iterator[Received]:
        """Yield everything that was kept, of one learner or of all, in the order of its arrival."""
        where, values = ("WHERE learner = ?", (learner.id,)) if learner else ("", ())
        asked = f"SELECT learner, received, body FROM messages {where} ORDER BY rowid"
        for who, received, body in self.database.execute(asked, values):
            yield Received(who, received, msgspec.json.decode(body, type=Said))

    def report(self, learner: Learner) -> str | None:
        """Return the page of a learner's last report, None where they sent none."""
        asked = "SELECT body FROM messages WHERE learner = ? AND is_report"
        found = self.database.execute(asked, (learner.id,)).fetchone()
        return msgspec.json.decode(found[0], type=Report).page if found else None

    def offer(self, learner: Learner, step: str) -> Offer:
        """Keep the offer to reset a step; an open one before it is no longer made."""
        with self._transaction():
            self.database.execute("DELETE FROM offers WHERE learner = ?", (learner.id,))
            made = self.database.execute(
                "INSERT INTO offers (learner, step) VALUES (?, ?)", (learner.id, step)
            )
        assert made.lastrowid is not None
        return Offer(made.lastrowid, step)

    def offers(self) -> dict[int, Offered]:
        """Return each learner's last offer."""
        rows = self.database.execute("SELECT learner, number, step, accepted FROM offers ORDER BY number")
        return {
            who: Offered(Offer(number, step), None if accepted is None else bool(accepted))
            for who, number, step, accepted in rows
        }

    def standing(self) -> Standing:
        """Return what the instructor set for all."""
        found = self.database.execute("SELECT body FROM standing").fetchone()
        return msgspec.json.decode(found[0], type=Standing) if found else Standing()

    def stand(self, standing: Standing) -> None:
        """Keep what the instructor set for all."""
        self.database.execute("REPLACE INTO standing VALUES (1, ?)", (msgspec.json.encode(standing),))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Write all of it or nothing."""
        with self.database:
            self.database.execute("BEGIN")
            yield
