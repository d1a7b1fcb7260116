"""The broker: it carries hints that there is something to do, and nothing else. Rows are the truth.

A message is the name of a task: no address, no text, no number. Lost, doubled or late ones change only when
something happens, so whoever gives a hint never waits for the broker.
"""

import os
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from blog.errors import BlogError
from blog.settings import Settings

if TYPE_CHECKING:
    from celery import Celery

QUEUE = "blog"
TICK, MAIL, SEND = "blog.tick", "blog.mail", "blog.send"
#: A scheduler that ticks as often as this is quick enough for everything.
TICK_SECONDS = 2.0
#: So old a message is dropped, lest they pile up while no worker is there. Whoever drops it goes by another
#: clock than whoever sent it, hence so long.
EXPIRES_SECONDS = 3600.0
#: A process does one thing for so long; then it looks whether something else is to be done.
SLICE_SECONDS = 30.0
#: Longer than any slice: a relay may take ten minutes for its last answer (RFC 5321, section 4.5.3.2.6).
VISIBLE_SECONDS = 1800
CONNECT_SECONDS = 4.0
#: A flood of sign-ups gives so few hints.
PAUSE_SECONDS = 0.1

#: While celery is imported it puts another module in its own place: a second thread would find half of it.
_importing = threading.Lock()
log = structlog.get_logger(__name__)


class Unreachable(BlogError):
    """The broker does not answer; said without its password."""


def application(settings: Settings) -> "Celery":
    """Return the Celery application that these settings ask for; its tasks are in `blog.worker.celery`."""
    with _importing:
        from celery import Celery

    app = Celery("blog", set_as_current=False)
    app.conf.update(
        broker_url=settings.broker_url,
        broker_connection_timeout=CONNECT_SECONDS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_heartbeat=30,
        broker_transport_options=_options(settings),
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        # What a lost connection leaves running ends by itself; doing it twice is harmless, killing it is not.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_proc_alive_timeout=60.0,
        worker_redirect_stdouts=False,
        task_default_queue=QUEUE,
        # In memory: the usual one keeps pickles in the folder that it is started in.
        beat_scheduler="celery.beat:Scheduler",
        beat_max_loop_interval=TICK_SECONDS,
        beat_schedule={
            "tick": {"task": TICK, "schedule": TICK_SECONDS, "options": {"expires": EXPIRES_SECONDS}}
        },
    )
    if settings.broker_url.startswith("amqp"):
        app.conf.update(
            task_default_queue_type="quorum",
            # Delays are rows, so the queues that Celery declares for delayed messages stay small and idle; it
            # complains of a direct exchange, to which they could not be bound.
            task_default_exchange_type="topic",
            broker_native_delayed_delivery_queue_type="classic",
        )
    return app


def _options(settings: Settings) -> dict[str, Any]:
    if settings.broker_url.startswith("amqp"):
        return {}
    _say_when_a_connection_is_gone()
    return {
        "visibility_timeout": VISIBLE_SECONDS,
        # Whatever a killed worker had not acknowledged is looked for this often (throttle: each time).
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_keepalive": True,
    }


def _say_when_a_connection_is_gone() -> None:
    """Have a channel to Redis whose connection is gone raise an error of connection, which Celery outlives.

    kombu 5.7 looks for the address in None when a broker is lost while messages are acknowledged or put back,
    and that AttributeError ends the worker: 3 of 6 died when Redis was killed nine times under load.
    """
    from kombu.transport.redis import Channel
    from redis.exceptions import ConnectionError as Gone

    address_of: Any = Channel._connparams
    if address_of.__module__ == __name__:
        return  # done before

    def address(channel: Any, *given: Any, **named: Any) -> Any:
        if getattr(channel.connection, "client", None) is None:
            raise Gone("the connection is closed")
        return address_of(channel, *given, **named)

    Channel._connparams = address  # type: ignore[assignment]


class Hints:
    """Tells the workers that single mail is due, from a thread of its own: who calls this waits for nobody.

    What was not told, since the broker is down, the next tick finds.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wanted = threading.Event()
        self._starting = threading.Lock()
        self._process = 0
        self._failing = False

    def __call__(self) -> None:
        """Give the hint; many at once become one."""
        if self._process != os.getpid():
            self._start()
        self._wanted.set()

    def _start(self) -> None:
        with self._starting:
            if self._process != os.getpid():
                self._process = os.getpid()
                threading.Thread(target=self._serve, name="hints", daemon=True).start()

    def _serve(self) -> None:
        app = application(self._settings)
        while True:
            self._wanted.wait()
            self._wanted.clear()
            self._tell(app)
            time.sleep(PAUSE_SECONDS)

    def _tell(self, app: "Celery") -> None:
        try:
            ask(app, MAIL)
        except Exception as error:  # noqa: BLE001 - whatever a broker does, mail waits in its rows for a tick
            if not self._failing:
                log.warning("broker.not_told", error=type(error).__name__, broker=shown(self._settings))
            self._failing = True
            return
        self._failing = False


def ask(app: "Celery", name: str) -> None:
    """Put a task into the queue; raise what the broker's library does if that cannot be done now."""
    once = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
    app.send_task(name, expires=EXPIRES_SECONDS, retry=True, retry_policy=once)


def shown(settings: Settings) -> str:
    """Return where the broker is, without its user and password."""
    parts = urlsplit(settings.broker_url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or 'localhost'}{port}{parts.path}"


def reach(settings: Settings) -> str:
    """Return what the broker says it is; raise `Unreachable` if it does not answer within seconds."""
    app = application(settings)
    try:
        with app.connection_for_write(connect_timeout=CONNECT_SECONDS) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_SECONDS)
            return _kind(connection)
    except Exception as error:  # noqa: BLE001 - two libraries, each with errors of its own and of the system
        said = " ".join(str(error).split()) or type(error).__name__
        raise Unreachable(f"{shown(settings)} cannot be reached: {said[:200]}") from None


def _kind(connection: Any) -> str:
    if connection.transport.driver_type == "redis":
        return f"Redis {connection.default_channel.client.info('server')['redis_version']}"
    about = connection.connection.server_properties
    return f"{about.get('product', 'AMQP')} {about.get('version', '')}".strip()
