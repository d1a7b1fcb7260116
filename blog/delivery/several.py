"""Many rows told to a statement at once, though it is built once: by an array or, in SQLite, by JSON.

With a parameter for each value the statement is written anew for every number of rows, and with an execution
for each row the database begins anew every time.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, String, any_, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY


def is_among(dialect: str, column: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that a row's number is one of those that `numbers` gives."""
    if dialect == "sqlite":
        return column.in_(select(func.json_each(bindparam("numbers")).table_valued("value").c.value))
    return column == any_(bindparam("numbers", type_=ARRAY(BigInteger)))


def numbers(dialect: str, given: Sequence[int]) -> dict[str, Any]:
    """Return the parameters of a statement made with `is_among`."""
    return {"numbers": json.dumps(given) if dialect == "sqlite" else list(given)}


def numbered_words(dialect: str) -> tuple[ColumnElement[int], ColumnElement[str]]:
    """Return the columns, a number and its words, of a list that `words` gives."""
    if dialect == "sqlite":
        each = func.json_each(bindparam("words")).table_valued("key", "value")
        return cast(each.c.key, Integer), each.c.value
    arrays = bindparam("numbers", type_=ARRAY(BigInteger)), bindparam("words", type_=ARRAY(String))
    told = func.unnest(*arrays).table_valued("number", "words").render_derived()
    return told.c.number, told.c.words


def words(dialect: str, given: Mapping[int, str]) -> dict[str, Any]:
    """Return the parameters of a statement made with `numbered_words`."""
    if dialect == "sqlite":
        return {"words": json.dumps(given)}
    return {"numbers": list(given), "words": list(given.values())}
