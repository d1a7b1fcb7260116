"""How far a long reading is."""

from collections.abc import Callable

#: Told how many are done, of how many.
Progress = Callable[[int, int], None]
