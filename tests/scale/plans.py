"""Has the database explain every statement that the product executes, and finds what reads a whole table.

A statement goes by the place in the product's code that causes it, so that what is meant can be listed.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

import blog

PACKAGE = Path(blog.__file__).parent
#: What grows with readers, mails or articles; the rest are lists of a few.
GROWING = frozenset({
    "subscribers", "consent_events", "address_changes", "signup_counts", "deliveries", "delivery_events",
    "outbox", "suppressions", "last_issues", "returned_mails", "articles", "article_topics",
    "related_articles", "redirects", "first_names", "search_texts", "search_pairs", "search_words",
})  # fmt: skip
#: Indexes of what waits, is in hand or is withheld, and of nothing else: all of that is what is asked for.
SMALL = frozenset({"ix_deliveries_due", "ix_deliveries_live", "ix_outbox_due", "ix_articles_withheld"})
EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")

Found = dict[str, set[str]]


@contextmanager
def watched() -> Iterator[Found]:
    """Collect what the statements of the block read whole: by place, a set of tables."""
    found: Found = defaultdict(set)

    def explain(
        connection: Connection, cursor: Any, statement: str, given: Any, _context: Any, many: bool
    ) -> None:
        said = statement.lstrip("( ").upper()
        if not said.startswith(EXPLAINED) or (said.startswith("INSERT") and "SELECT" not in said):
            return  # values that are stored read nothing
        first = (given[0] if given else ()) if many else given
        read = reads_whole(connection.dialect.name, cursor.connection.cursor(), statement, first)
        if read & GROWING:
            found[place()] |= read & GROWING

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", explain)


def reads_whole(dialect: str, cursor: Any, statement: str, given: Any) -> set[str]:
    """Return the tables of which a statement reads every row, as the database would carry it out now."""
    if dialect == "sqlite":
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", given or ())
        return {table for row in cursor.fetchall() for table in _scanned(row[3], statement)}
    cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", given or None)
    (said,) = cursor.fetchone()
    plan = said if isinstance(said, list) else json.loads(said)
    return set(_whole(plan[0]["Plan"], limited=False))


def place() -> str:
    """Return the innermost place in the product's code that is at work, as `room/module.py:function`."""
    frame = sys._getframe()
    while frame:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE) and path.name != "db.py":
            return f"{path.relative_to(PACKAGE)}:{frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return "a test"


def _scanned(detail: str, statement: str) -> Iterator[str]:
    """Yield the table of a line such as `SCAN articles` or `SCAN articles USING INDEX …`."""
    words = detail.split()
    if words[0] != "SCAN" or len(words) < 2 or "VIRTUAL" in words:
        return
    in_order = "USING" in words and "LIMIT" in statement.upper()
    if not in_order and words[-1] not in SMALL:
        yield words[1]


def _whole(node: dict[str, Any], limited: bool) -> Iterator[str]:
    kind, limited = node["Node Type"], limited or node["Node Type"] == "Limit"
    if kind == "Seq Scan":
        yield node["Relation Name"]
    by_index = kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in node
    if by_index and not limited and node["Index Name"] not in SMALL:
        yield node["Relation Name"]
    if kind == "Sort":
        limited = False  # it takes all before it gives one
    for below in node.get("Plans", ()):
        yield from _whole(below, limited)
