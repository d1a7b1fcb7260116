"""What a driver's or the system's own words mean and what mends it, in one line for whoever runs the program.

A driver says what it was doing, not what to do, and may quote the values of the statement: logs get a name
from here instead.
"""

import errno
import re
from typing import NamedTuple


class Trouble(NamedTuple):
    """What is wrong with a database: a name for logs, and what it is and how to mend it, for people."""

    name: str
    words: str


FULL = Trouble(
    "disk_full", "the disk under the database is full, nothing was stored: make room there, then try again"
)
REFUSED = Trouble(
    "database_refuses_us", "the database does not let us in: mend the user and password in BLOG_DATABASE_URL"
)
#: By the words of SQLite, libpq and PostgreSQL, as their sources have them; the first that fit count.
TROUBLES = {
    "database or disk is full": FULL,
    "no space left on device": FULL,
    "unable to open database file": Trouble(
        "database_not_opened",
        "the database file cannot be opened: its folder has to exist and to be writable for this user",
    ),
    "readonly database": Trouble(
        "database_read_only",
        "the database file can only be read: let this user write to it and to its folder",
    ),
    "disk I/O error": Trouble(
        "disk_fails", "the disk under the database cannot be read or written: look into the system's log"
    ),
    "file is not a database": Trouble(
        "not_a_database", "the file that BLOG_DATABASE_URL names is something else than a SQLite database"
    ),
    "disk image is malformed": Trouble(
        "database_damaged",
        "the database file is damaged: keep a copy of it, then restore a backup (blog restore)",
    ),
    'database ".*" does not exist': Trouble(
        "no_such_database", "the server has no database of that name: create it, or mend BLOG_DATABASE_URL"
    ),
    'role ".*" does not exist|authentication failed|no password supplied|no pg_hba.conf entry': REFUSED,
    "too many clients|remaining connection slots": Trouble(
        "database_crowded",
        "the database takes no more connections: raise max_connections or run fewer processes",
    ),
    "permission denied for": Trouble(
        "database_forbids", "the database's user lacks a right: make it the owner of the tables"
    ),
    "connection|failed to resolve host": Trouble(
        "database_unreachable", "the database cannot be reached: start it, or mend BLOG_DATABASE_URL"
    ),
}
MENDS = {
    errno.ENOSPC: "make room there, then try again",
    errno.EDQUOT: "make room there, then try again",
    errno.EACCES: "let this user write there, or choose another place",
    errno.EROFS: "choose another place",
    errno.EMFILE: "allow more open files (ulimit -n)",
}


def of(error: Exception) -> Trouble | None:
    """Return what a database's refusal means; None if that is not known."""
    said = str(getattr(error, "orig", None) or "")
    return next((trouble for words, trouble in TROUBLES.items() if re.search(words, said)), None)


def in_words(error: Exception) -> str:
    """Return one line about an error that nothing foresaw."""
    if known := of(error):
        said = str(getattr(error, "orig", None)).split("\n")[0]
        return f"{known.words} ({said[:200]})"
    mend = MENDS.get(error.errno or 0) if isinstance(error, OSError) else None
    if isinstance(error, OSError) and (mend or error.filename is not None):
        return ": ".join(str(part) for part in (error.filename, error.strerror, mend) if part)
    said = " ".join(str(error).split())[:300]
    return f"unexpected {type(error).__name__}: {said} (set BLOG_TRACEBACK=1 to see where)"
