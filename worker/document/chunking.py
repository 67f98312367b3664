"""A long text cut into chunks of at most so many tokens, on borders that a reader would choose.

``semantic-text-splitter`` looks for the widest borders that are near enough: empty lines, lines,
sentences, words, characters, by rules of Unicode that are compiled into it. Nothing of the machine
goes in: no locale, no file, no network, no floating point. What decides about the borders is the
``identity``, which is a part of the fingerprint of every document that is cut (ADR 9).
"""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from typing import TYPE_CHECKING

from semantic_text_splitter import TextSplitter

from worker.errors import FatalError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIBRARY = "semantic-text-splitter"
_WAY = 1
"""Changes when this module cuts differently with the same library."""
_USUAL_MODEL = "text-embedding-3-small"
_USUAL = "cl100k_base"
"""OpenAI's vocabulary, the one of the model above, which comes with the library."""
_LONGEST_RUN = 4096
"""Characters without a blank between them; the time that the splitter takes for such a run grows
with its square, and it is hardly ever language."""
_RUN = re.compile(r"\S+")


class Chunking:
    """Cuts texts. Pure, and safe from several threads, which run side by side in it."""

    def __init__(self, tokens: int, overlap: int = 0, tokenizer: str | None = None) -> None:
        """Prepare to make chunks of at most ``tokens`` tokens.

        ``overlap`` is how many tokens at most the end of a chunk has in common with the beginning
        of the next. ``tokenizer`` is the model's own, as JSON of Hugging Face's tokenizers; without
        one, tokens are those of ``cl100k_base``. Tokens that a model puts around every text are not
        counted.

        Raises:
            FatalError: the tokenizer cannot be read.
        """
        self.identity = (
            f"{_WAY} {_LIBRARY}/{version(_LIBRARY)} {tokens} {overlap} "
            f"{_USUAL if tokenizer is None else 'own'}"
        )
        """What, beside the text and the model, decides where it is cut."""
        self._tokens = tokens
        if tokenizer is None:
            self._splitter = TextSplitter.from_tiktoken_model(_USUAL_MODEL, tokens, overlap)
        else:
            self._splitter = _splitter_of(tokenizer, tokens, overlap)

    def split(self, text: str) -> tuple[str, ...]:
        """The chunks of a text, in order; at least one, and none begins or ends with a blank.

        ``text`` is one that a ``Renderer`` made: not empty, no blanks at its ends, and no lone
        surrogates in it. Takes about 1 µs per character, up to 10 with the tokenizer of a model.
        """
        if len(text) < self._tokens and text.isascii():
            return (text,)  # as each token has at least one byte
        return tuple(chunk for piece in _pieces(text) for chunk in self._splitter.chunks(piece))


def _pieces(text: str) -> Iterator[str]:
    """The text, cut where a run of characters without a blank is far too long."""
    start = 0
    if len(text) > _LONGEST_RUN:
        for run in _RUN.finditer(text):
            for end in range(run.start() + _LONGEST_RUN, run.end(), _LONGEST_RUN):
                yield text[start:end]
                start = end
    yield text[start:]


def _splitter_of(tokenizer: str, tokens: int, overlap: int) -> TextSplitter:
    """With all tokens counted: many models' files say to cut and to pad."""
    whole = json.dumps({**json.loads(tokenizer), "truncation": None, "padding": None})
    try:
        return TextSplitter.from_huggingface_tokenizer_str(whole, tokens, overlap)
    except Exception as error:  # the library raises no other class
        raise FatalError(
            f"document.chunk.tokens: {_LIBRARY} cannot read the tokenizer of the model ({error})"
        ) from error
