"""OpenAI's embedding models, as published.

Lengths, prices and rates (of usage tier 1): https://developers.openai.com/api/docs/models,
tokens: https://platform.openai.com/docs/api-reference/embeddings/create.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from worker.embed.known_model import KnownModel
from worker.throttle.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Mapping

AS_OF: Final = "2026-11-26"
"""When prices were compiled. The rates, and the price of ada-002, were not checked that day."""

_RATES = Rates(requests=3000, tokens=1_000_000)
_SMALL = range(1, 1536 + 1)
_LARGE = range(1, 3072 + 1)

# fmt: off
MODELS: Final[Mapping[str, KnownModel]] = {
    "text-embedding-3-small": KnownModel(_SMALL,  1536, 8192, 300_000, usd=0.02, rates=_RATES),
    "text-embedding-3-large": KnownModel(_LARGE,  3072, 8192, 300_000, usd=0.13, rates=_RATES),
    "text-embedding-ada-002": KnownModel((1536,), 1536, 8192, 300_000, usd=0.10, rates=_RATES),
}
# fmt: on
