"""A prompt in one line, for lists."""

from annotate.parsing import chat_messages

USER = {"user", "human"}
# Of a prompt that long no list shows more, whatever stands later in it.
PROMPT_READ = 20_000


def in_short(prompt: str, most: int) -> str:
    """The beginning of a prompt; of a conversation, of what the user said last."""
    messages = chat_messages(prompt) or []
    said = [text for role, text in messages if role.lower() in USER]
    return " ".join((said[-1] if said else prompt)[:PROMPT_READ].split())[:most]
