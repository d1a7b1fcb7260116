"""Logs for operators: one event a line, JSON where a machine reads; never an address, a token or a body."""

import logging
import sys
from typing import Any

import structlog

LONGEST_WORDS = 300


def configure(json: bool | None = None) -> None:
    """Write logs to standard error: JSON unless a person is looking."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


class Passing(logging.Handler):
    """Writes what a library logs as one event a line: the kind of an error, never its trail or its values."""

    def emit(self, record: logging.LogRecord) -> None:
        words = " ".join(record.getMessage().split())[:LONGEST_WORDS]
        kind = record.exc_info and record.exc_info[0]
        more = {"error": kind.__name__} if kind else {}
        structlog.get_logger().log(record.levelno, record.name, words=words, **more)


def take_in(level: int) -> None:
    """Have the libraries of this process log as we do, from this level up."""
    logging.getLogger().handlers[:] = [Passing()]
    logging.getLogger().setLevel(level)
