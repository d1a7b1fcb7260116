"""The figures of the crash runs: each run notes its own, and `tests.crash.report` makes a page of them."""

import json
import os
from pathlib import Path

from blog.delivery.states import Policy

#: One line a run; the page is made from it.
FILE = Path(os.environ.get("PROOF_FILE", "var/proof.jsonl"))
#: `PROVE=full` runs everything at its full size, which takes an hour; CI has time for little of it.
FULL = os.environ.get("PROVE") == "full"
BRIEF = bool(os.environ.get("CI")) and not FULL
POLICIES = ["hold"] if BRIEF else ["hold", "resend"]
SEED = int(os.environ.get("PROVE_SEED", "2026"))


def note(run: str, engine: str, policy: Policy | str, **found: object) -> None:
    """Write down what one run found, and print it for whoever watches."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    line = {"run": run, "engine": engine, "policy": str(policy), **found}
    with FILE.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(f"\n{run}, {engine}, {policy}: " + ", ".join(f"{name} {value}" for name, value in found.items()))
