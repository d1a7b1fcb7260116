"""What is kept is given back as it was, or not at all, whoever writes beside, whatever befalls the file."""

import multiprocessing
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from blog import clock
from blog.content.store import Store

DATA = bytes(range(256)) * 80


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store of one value, as bytes."""
    path = tmp_path_factory.mktemp("store") / "store.db"
    Store(path).put("a", DATA)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = delete")
    return path.read_bytes()


def test_what_is_put_is_got_by_threads_and_processes(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    assert store.get("a") is None
    assert store.put("a", DATA)
    assert pickle.loads(pickle.dumps(store)).get("a") == DATA
    writers = [threading.Thread(target=put_many, args=(store, f"t{n}")) for n in range(3)]
    others = [
        multiprocessing.get_context("spawn").Process(target=put_many, args=(store, f"p{n}")) for n in range(2)
    ]
    for each in (*writers, *others):
        each.start()
    for each in (*writers, *others):
        each.join()
    assert all(store.get(f"{who}-{n}") == DATA for who in ("t0", "t1", "t2", "p0", "p1") for n in range(50))


def put_many(store: Store, who: str) -> None:
    assert all(store.put(f"{who}-{n}", DATA) for n in range(50))


def test_what_is_neither_used_nor_recent_is_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    for name in "abc":
        store.put(name, DATA)
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        store.put("d", DATA)
        store.keep_only({"b"})
        assert [store.get(name) is not None for name in "abcd"] == [False, True, False, True]


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(b"no database" * 5_000),
        lambda path: path.write_bytes(path.read_bytes()[: 16384 * 3 // 2]),
        lambda path: path.write_bytes(path.read_bytes()[:16384] + os.urandom(16384 * 2)),
        lambda path: path.write_bytes(b""),
    ],
)
def test_a_damaged_file_is_begun_anew(tmp_path: Path, whole: bytes, harm: Callable[[Path], object]) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(whole)
    harm(path)
    store = Store(path)
    assert store.get("a") in (None, DATA)
    for _ in range(2):  # the first may be what notices it
        store.put("b", DATA)
    assert store.get("b") == DATA


@settings(deadline=None, max_examples=60)
@given(place=st.integers(0, 70_000), octet=st.integers(0, 255))
def test_no_octet_can_be_changed_unnoticed(whole: bytes, place: int, octet: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        changed = bytearray(whole)
        changed[place % len(whole)] = octet
        path.write_bytes(changed)
        assert Store(path).get("a") in (None, DATA)


def test_a_process_that_is_killed_while_it_writes_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    code = (
        "import sys; from pathlib import Path; from blog.content.store import Store\n"
        "store, n = Store(Path(sys.argv[1])), 0\n"
        "while store.put(f'k{n}', bytes(range(256)) * 80): n += 1; print(n, flush=True)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    said = [writer.stdout.readline() for _ in range(30)]
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    store = Store(path)
    assert all(store.get(f"k{n}") == DATA for n in range(int(said[-1])))
    assert store.put("after", DATA)


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("where a folder should be")
    store = Store(tmp_path / "file" / "store.db")
    assert not store.put("a", DATA)
    assert store.get("a") is None
    store.keep_only(())
