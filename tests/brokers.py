"""Real brokers for tests: Redis and RabbitMQ on loopback ports of their own, killed and started anew."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.smtp_server import free_port

#: The one that the package puts into the path changes its user first, and takes no folder of ours.
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
START_SECONDS = 60.0


@dataclass
class Broker:
    """A broker's process, started anew after each `kill`; what it held in memory is then lost."""

    url: str
    command: list[str]
    environment: dict[str, str]
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2].strip("/").split("/")[0])

    def start(self) -> None:
        log = (self.folder / "broker.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=self.folder, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.port):
            assert self.process.poll() is None, (self.folder / "broker.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the broker did not start in time"
            time.sleep(0.05)

    def kill(self) -> None:
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


def answers(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@contextmanager
def running(kind: str) -> Iterator[Broker]:
    """Run a broker of this kind; without its package the test is skipped, but never where CI is set."""
    folder = Path(tempfile.mkdtemp(prefix=f"blog-{kind}-"))
    broker = redis(folder) if kind == "redis" else rabbitmq(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()
        if "ERL_EPMD_PORT" in broker.environment:
            end_port_mapper(broker.environment)
        shutil.rmtree(folder, ignore_errors=True)


def end_port_mapper(environment: dict[str, str]) -> None:
    """End what Erlang has left running beside the broker, once it has noticed that one's death."""
    for _ in range(50):
        subprocess.run(["epmd", "-kill"], env=environment, check=False, capture_output=True)
        if not answers(int(environment["ERL_EPMD_PORT"])):
            return
        time.sleep(0.1)


def redis(folder: Path) -> Broker:
    found = shutil.which("redis-server") or missing("redis-server")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    return Broker(f"redis://127.0.0.1:{port}", [found, *options], {"PATH": os.environ["PATH"]}, folder)


def rabbitmq(folder: Path) -> Broker:
    if not RABBITMQ.exists():
        missing("rabbitmq-server")
    port = free_port()
    (folder / "plugins").write_text("[].")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(free_port()),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"blog{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none.sh"),
    }
    return Broker(f"amqp://guest:guest@127.0.0.1:{port}", [str(RABBITMQ)], environment, folder)


def missing(package: str) -> str:
    message = f"needs a real broker: install the package `{package}`"
    (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    return ""
