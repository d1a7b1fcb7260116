"""`INSERT … ON CONFLICT` on both databases."""

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session


def upsert(session: Session, table: type[DeclarativeBase]) -> sqlite.Insert | postgresql.Insert:
    """Return an insert into `table` that can say what to do when the row is there already."""
    return insert_for(dialect_of(session), table)


def dialect_of(session: Session) -> str:
    """Return the database's name; a statement that is built once is built once for each."""
    return session.get_bind().dialect.name


def insert_for(dialect: str, table: type[DeclarativeBase]) -> sqlite.Insert | postgresql.Insert:
    """Return what `upsert` does, for a statement that is built once and executed often."""
    into: Table = table.__table__  # type: ignore[assignment]
    return sqlite.insert(into) if dialect == "sqlite" else postgresql.insert(into)
