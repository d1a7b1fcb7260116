"""What deploy/Containerfile says, for tests that rehearse its steps where there is no container engine."""

import json
import re

from blog.settings import ROOT

TEXT = (ROOT / "deploy" / "Containerfile").read_text().replace("\\\n", " ")


def instructions(name: str) -> list[str]:
    """Return the arguments of every instruction of that name, in order."""
    return re.findall(rf"(?m)^\s*{name}\s+(.+)$", TEXT)


def copied() -> list[str]:
    """Return what the build takes from the source tree."""
    lines = [line.split() for line in instructions("COPY") if not line.startswith("--from")]
    return [name for words in lines for name in words[:-1]]


def command(name: str) -> list[str]:
    """Return an instruction's command, which is a JSON list."""
    return [str(word) for word in json.loads(instructions(name)[-1])]


def healthcheck(port: int) -> list[str]:
    """Return the command that asks whether the container is well, for another port."""
    words = json.loads(re.sub(r".*?CMD ", "", instructions("HEALTHCHECK")[-1], count=1))
    return [str(word).replace("8000", str(port)) for word in words]
