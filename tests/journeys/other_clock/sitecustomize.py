"""Read by Python at its start, where this folder is in the path: a clock that is minutes off."""

import os
from datetime import UTC, datetime, timedelta

import time_machine

off = timedelta(minutes=float(os.environ["CLOCK_IS_OFF_BY_MINUTES"]))
time_machine.travel(datetime.now(UTC) + off, tick=True).start()
