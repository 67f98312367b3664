"""Cohere's embedding models, as published.

Lengths and tokens: https://docs.cohere.com/docs/cohere-embed, prices: https://cohere.com/pricing,
rates: https://docs.cohere.com/docs/rate-limits (texts, not calls; trial and production keys alike).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from worker.embed.known_model import KnownModel
from worker.throttle.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Mapping

AS_OF: Final = "2026-11-22"
"""When prices and rates were looked up."""

_RATES = Rates(inputs=2000)
_V5 = (256, 512, 768, 1024, 1536, 2048)
_V4 = (256, 512, 1024, 1536)

# fmt: off
MODELS: Final[Mapping[str, KnownModel]] = {
    "embed-v5.0-pro":                KnownModel(_V5, 2048, 128_000, usd=0.12, rates=_RATES),
    "embed-v5.0-fast":               KnownModel(_V5, 2048, 128_000, usd=0.08, rates=_RATES),
    "embed-v4.0":                    KnownModel(_V4, 1536, 128_000, usd=0.12, rates=_RATES),
    "embed-multilingual-v3.0":       KnownModel((1024,), 1024, 512, rates=_RATES),
    "embed-multilingual-light-v3.0": KnownModel((384,), 384, 512, rates=_RATES),
    "embed-english-v3.0":            KnownModel((1024,), 1024, 512, rates=_RATES),
    "embed-english-light-v3.0":      KnownModel((384,), 384, 512, rates=_RATES),
}
# fmt: on
