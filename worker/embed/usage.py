"""How many tokens a provider says it has billed for a call."""

from __future__ import annotations

import math
from typing import Final

_MOST: Final = 10**12
"""More than any call costs: a larger number is none that could be added up."""


def billed_tokens(*said: object) -> int:
    """The first that is a count, rounded up (some say 12.0 for 12); 0 if none is: nobody knows."""
    return next((count for count in map(_count, said) if count), 0)


def _count(said: object) -> int:
    if isinstance(said, bool) or not isinstance(said, int | float):
        return 0
    return math.ceil(said) if 0 < said <= _MOST else 0
