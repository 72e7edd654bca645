"""The store: what was acknowledged is there, and its history tells every change once."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_sets import examples

from kata_lib.engines.embedded.store import Compacted, DiskFull, Event, Obj, Store


def pod(name: str, **more: object) -> Obj:
    return {"metadata": {"name": name, "namespace": "default"}, **more}


def test_put_get_list_and_delete() -> None:
    store = Store(":memory:")
    store.put("pods", "default", "b", pod("b"))
    store.put("pods", "default", "a", pod("a"))
    store.put("pods", "other", "c", pod("c"))
    assert [obj["metadata"]["name"] for obj in store.list("pods")] == ["a", "b", "c"]
    assert [obj["metadata"]["name"] for obj in store.list("pods", "other")] == ["c"]
    assert store.get("pods", "default", "a") == pod("a") | {
        "metadata": {"name": "a", "namespace": "default", "resourceVersion": "3"}
    }
    deleted = store.delete("pods", "default", "a")
    assert deleted is not None
    assert deleted["metadata"]["resourceVersion"] == str(store.revision)
    assert store.get("pods", "default", "a") is None
    assert store.delete("pods", "default", "a") is None


def test_what_is_got_is_the_callers_own() -> None:
    store = Store(":memory:")
    store.put("pods", "default", "a", pod("a"))
    got = store.get("pods", "default", "a")
    assert got is not None
    got["changed"] = True
    assert "changed" not in (store.get("pods", "default", "a") or {})


def test_subscribers_hear_each_write_after_it_is_committed() -> None:
    store, heard = Store(":memory:"), list[tuple[str, bool]]()

    def hear(event: Event) -> None:
        stored = store.get("pods", "default", "a") is not None
        heard.append((event.type, stored))

    stop = store.subscribe(hear)
    store.put("pods", "default", "a", pod("a"))
    store.put("pods", "default", "a", pod("a", n=1))
    store.delete("pods", "default", "a")
    stop()
    store.put("pods", "default", "a", pod("a"))
    assert heard == [("ADDED", True), ("MODIFIED", True), ("DELETED", False)]


def test_history_carries_the_state_before() -> None:
    store = Store(":memory:")
    for number in range(3):
        store.put("pods", "default", "a", pod("a", n=number))
    store.delete("pods", "default", "a")
    events = list(store.history(2, "pods"))
    assert [(e.type, e.object["n"], e.old and e.old["n"]) for e in events] == [
        ("MODIFIED", 1, 0),
        ("MODIFIED", 2, 1),
        ("DELETED", 2, 2),
    ]


def test_history_that_was_compacted_is_refused() -> None:
    store = Store(":memory:")
    for number in range(4):
        store.put("pods", "default", "a", pod("a", n=number))
    store.compact(4)
    with pytest.raises(Compacted, match=r"too old resource version: 3 \(4\)"):
        store.history(3, "pods")
    assert [event.old and event.old["n"] for event in store.history(4, "pods")] == [2]


def test_old_history_is_compacted_by_and_by() -> None:
    store = Store(":memory:", history_kept=100)
    for number in range(1200):
        store.put("pods", "default", "a", pod("a", n=number))
    assert store.revision - 600 <= store.compacted <= store.revision - 100


writes = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), max_size=30)


@examples(60)
@given(writes, st.integers(0, 30), st.integers(0, 30))
def test_history_replayed_over_a_past_state_gives_the_present(
    operations: list[tuple[str, int, bool]], past: int, compact: int
) -> None:
    store, states = Store(":memory:"), dict[int, dict[str, int]]()
    states[store.revision] = {}
    for name, number, delete in operations:
        if delete:
            store.delete("pods", "default", name)
        else:
            store.put("pods", "default", name, pod(name, n=number))
        states[store.revision] = {obj["metadata"]["name"]: obj["n"] for obj in store.list("pods")}
    since = min(1 + past, store.revision)
    store.compact(min(1 + compact, since))
    replayed = dict(states[since])
    for event in store.history(since, "pods"):
        name = event.object["metadata"]["name"]
        assert (event.old["n"] if event.old else None) == replayed.get(name)
        if event.type == "DELETED":
            del replayed[name]
        else:
            replayed[name] = event.object["n"]
    assert replayed == states[store.revision]


def test_what_was_acknowledged_survives_sigkill(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from kata_lib.engines.embedded.store import Store\n"
        "store = Store(sys.argv[1])\n"
        "for n in range(20): store.put('pods', 'default', f'p{n}', {'metadata': {'name': f'p{n}'}})\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", script, tmp_path / "store.db"], timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    store = Store(tmp_path / "store.db")
    assert len(store.list("pods")) == 20
    assert store.revision == 21
    assert len(list(store.history(1, "pods"))) == 20


def test_a_full_disk_refuses_a_write_whole(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    store.put("pods", "default", "a", pod("a"))
    store._db.execute("PRAGMA max_page_count = 1")  # what is there is the most that there may be
    told: list[Event] = []
    store.subscribe(told.append)
    with pytest.raises(DiskFull, match=r"store\.db is full; nothing of this was written"):
        store.put("pods", "default", "b", pod("b", large="x" * 100_000))
    assert told == []
    assert store.get("pods", "default", "b") is None
    store._db.execute("PRAGMA max_page_count = 1000000")
    assert store.put("pods", "default", "b", pod("b"))["metadata"]["resourceVersion"] == str(store.revision)
    assert [event.type for event in told] == ["ADDED"]
