"""Only what embeds is loaded of Cohere's client, and everything else can still be had."""

from __future__ import annotations

import subprocess
import sys

MODELS_OF_CHATS = "cohere.types.chat_message_v2", "cohere.types.tool_content"


def said_by(program: str) -> str:
    """By an interpreter of its own, where nothing is loaded yet."""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_models_of_other_calls_are_not_loaded() -> None:
    program = f"""
import sys, worker.embed.cohere_half
print([name for name in {MODELS_OF_CHATS} if name in sys.modules])
"""
    assert said_by(program) == "[]"


def test_who_wants_the_rest_gets_it() -> None:
    program = """
import worker.embed.cohere_half
import cohere
from cohere.types.chat_messages import ChatMessages
from cohere.v2.types.v2chat_response import V2ChatResponse
print("UserChatMessageV2" in str(ChatMessages), cohere.V2ChatResponse is V2ChatResponse)
print(V2ChatResponse.__name__, type(cohere.ClientV2("key").embed).__name__)
"""
    assert said_by(program).splitlines() == ["True True", "V2ChatResponse method"]


def test_what_is_loaded_already_is_left_as_it_is() -> None:
    program = """
import sys, cohere.types.tool_v2 as before
import worker.embed.cohere_half
print(sys.modules["cohere.types.tool_v2"] is before)
"""
    assert said_by(program) == "True"
