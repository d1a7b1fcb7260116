"""A network of a test's own between two hosts that are one: a namespace and a cable to it, which can be cut.

Cut is by a wrong hardware address for the other end, so that packets leave and reach nobody: no refusal, no
reset, nothing to be heard, which is how a broken switch or a lost route looks from inside. One way or both.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

#: For tests of networks (RFC 2544), so that nothing real is hidden.
NEAR, FAR = "198.18.{}.1", "198.18.{}.2"
NOBODY = "02:00:00:00:00:01"
BOTH, THERE, BACK = ("there", "back"), ("there",), ("back",)


@dataclass(frozen=True)
class Network:
    """A namespace `name`, and the addresses of the two ends of its cable: ours is `near`."""

    name: str
    near: str
    far: str

    @property
    def inside(self) -> tuple[str, ...]:
        """The words that run a command at the far end."""
        return ("ip", "netns", "exec", self.name)

    def cut(self, ways: tuple[str, ...]) -> None:
        """Lose what goes from the far end to ours (`there`), what comes back to it, or both."""
        if "there" in ways:
            _ip("-n", self.name, "neigh", "replace", self.near, *self._astray("b"))
        if "back" in ways:
            _ip("neigh", "replace", self.far, *self._astray("a"))

    def mend(self) -> None:
        """Have everything arrive again."""
        for where, end, side in ((("-n", self.name), self.near, "b"), ((), self.far, "a")):
            subprocess.run(["ip", *where, "neigh", "del", end, "dev", self.name + side], capture_output=True)

    def _astray(self, side: str) -> tuple[str, ...]:
        return ("lladdr", NOBODY, "dev", self.name + side, "nud", "permanent")


@contextmanager
def network() -> Iterator[Network]:
    """Make one until the block ends; skip, with one line, where that is not allowed."""
    place = secrets.randbelow(250) + 1
    made = Network(f"blog{secrets.token_hex(4)}", NEAR.format(place), FAR.format(place))
    if (
        not shutil.which("ip")
        or subprocess.run(["ip", "netns", "add", made.name], capture_output=True).returncode
    ):
        message = "needs iproute2 and root (CAP_NET_ADMIN, CAP_SYS_ADMIN) to make a network that can be cut"
        (pytest.fail if os.environ.get("CI") and os.geteuid() == 0 else pytest.skip)(message)
    try:
        ours, theirs = made.name + "a", made.name + "b"
        _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", made.name)
        _ip("addr", "add", f"{made.near}/30", "dev", ours)
        _ip("link", "set", ours, "up")
        _ip("-n", made.name, "addr", "add", f"{made.far}/30", "dev", theirs)
        for each in ("lo", theirs):
            _ip("-n", made.name, "link", "set", each, "up")
        yield made
    finally:
        _ip("netns", "del", made.name)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    assert done.returncode == 0, (words, done.stderr)
