"""The broker's settings, and that nobody waits for it, whatever state it is in."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from kombu.transport.redis import Channel

from blog import broker, clock, runtime
from blog.cli import cli
from blog.db import DUE, Database
from blog.delivery import outbox
from blog.errors import SettingsError
from blog.settings import ROOT, Settings, load_settings
from blog.subscribers.models import Mail, Status
from blog.tokens import Tokens
from tests.commanding import environment
from tests.factories import make_subscriber
from tests.smtp_server import free_port, smtp_server


def with_broker(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"broker_url": url})


@pytest.mark.parametrize(
    "url", ["redis://cache:6379/1", "rediss://u:p@h", "amqp://u:p@mq:5672//", "amqps://mq"]
)
def test_redis_and_rabbitmq_can_be_named(url: str) -> None:
    assert load_settings(broker_url=url).broker_url == url


@pytest.mark.parametrize("url", ["sqs://", "redis://", "localhost:6379", "amqp:// mq", "memory://"])
def test_anything_else_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(SettingsError, match="BLOG_BROKER_URL: expected redis://host:6379/0 or amqp://"):
        load_settings(broker_url=url)


@pytest.mark.parametrize("url", ["redis://localhost", "amqp://localhost"])
def test_a_message_is_json_and_acknowledged_after_the_work_and_no_result_is_kept(url: str) -> None:
    conf = broker.application(load_settings(broker_url=url)).conf
    assert (conf.task_serializer, conf.accept_content, conf.result_backend) == ("json", ["json"], None)
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost) == (True, True)
    assert conf.worker_prefetch_multiplier == 1
    assert conf.task_default_queue_type == ("quorum" if url.startswith("amqp") else "classic")
    # Who drops what is too old goes by a clock of another host.
    assert broker.EXPIRES_SECONDS >= 1200
    # The relay's last answer alone may take ten minutes.
    options = conf.broker_transport_options
    assert options.get("visibility_timeout", 1800) > broker.SLICE_SECONDS + 900
    assert conf.beat_scheduler == "celery.beat:Scheduler", "the usual one keeps pickles"


@pytest.mark.sqlite(reason="about the broker alone")
@pytest.mark.parametrize("state", ["refuses", "is silent"])
def test_nobody_waits_for_a_broker_that_is_not_there(settings: Settings, state: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if state == "is silent":
            silent.listen()
        services = runtime.build(with_broker(settings, f"redis://127.0.0.1:{silent.getsockname()[1]}"))
        began = time.monotonic()
        for _ in range(5):
            with services.database.transaction() as session:
                session.info[DUE] = True
        assert time.monotonic() - began < 0.5
        services.database.dispose()


def test_the_doctor_is_told_where_the_broker_is_not_and_no_password() -> None:
    url = f"redis://:hush@127.0.0.1:{free_port()}/3"
    with pytest.raises(broker.Unreachable) as told:
        broker.reach(load_settings(broker_url=url))
    assert "redis://127.0.0.1" in str(told.value)
    assert "hush" not in str(told.value)


def celery(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "celery", "-A", "blog.worker", *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_celery_without_a_broker_says_in_one_line_what_is_missing(tmp_path: Path) -> None:
    done = celery("worker", BLOG_VAR_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "blog: BLOG_BROKER_URL: missing; Celery needs redis://… or amqp://… (without one, run: blog worker)"
    ]


def test_no_command_loads_celery_for_nothing(tmp_path: Path) -> None:
    program = "import sys, blog.cli.worker, blog.cli.doctor, wsgi; print('celery' in sys.modules)"
    environment: dict[str, Any] = {"BLOG_VAR_DIR": str(tmp_path), "BLOG_BROKER_URL": "redis://localhost"}
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PATH": os.environ["PATH"], **environment}, cwd=ROOT,
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "False"


def test_the_embedded_worker_does_the_work_of_a_broker_that_is_down_and_says_so(
    settings: Settings, database: Database
) -> None:
    with smtp_server() as server:
        with database.transaction() as session:
            person = make_subscriber(
                session, Tokens(settings.key_ring), "ada@example.org", status=Status.PENDING
            )
            outbox.add(session, Mail.CONFIRM, person.id, "one", "example.org", clock.now())
        url = f"redis://127.0.0.1:{free_port()}"
        given = environment(settings) | {"BLOG_BROKER_URL": url, "BLOG_MAIL_PORT": str(server.port)}
        result = CliRunner().invoke(cli, ["worker", "--until-idle"], env=given)
    assert result.exception is None, result.output
    assert [taken.recipients for taken in server.taken] == [["ada@example.org"]]
    assert "celery -A blog.worker worker" in result.stderr


def test_a_lost_connection_to_redis_is_an_error_that_celery_outlives() -> None:
    for _ in range(2):
        app = broker.application(load_settings(broker_url="redis://localhost"))
    channel = object.__new__(Channel)
    channel.connection = None
    with app.connection_for_read() as connection, pytest.raises(connection.connection_errors, match="closed"):
        channel._connparams()
