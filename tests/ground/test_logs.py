"""Logs can be configured at any time, also after a module has written its first line."""

import io
import json
from contextlib import redirect_stderr

import structlog

from blog import logs


def test_a_logger_that_has_already_written_follows_the_configuration_of_now() -> None:
    log = structlog.get_logger("ground")
    first, second = io.StringIO(), io.StringIO()
    for stream in (first, second):
        with redirect_stderr(stream):
            logs.configure(json=True)
            log.info("said", by="ground")
    assert json.loads(first.getvalue())["event"] == "said"
    assert json.loads(second.getvalue())["event"] == "said"
