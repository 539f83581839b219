"""Does a text say which model wrote it? A word list: it flags, it does not judge.

Plain substring searches come first because they are an order of magnitude faster than a regular
expression, and almost every text ends there.
"""

import re

_HINTS = (
    "gpt", "openai", "davinci", "claude", "anthropic", "gemini", "gemma", "llama", "mistral",
    "mixtral", "qwen", "deepseek", "copilot", "grok", " bard", "cohere", "command", "falcon-",
    "vicuna", "alpaca", "kimi", "glm", "phi-", "nemotron", "language model",
)  # fmt: skip
SHORT_TEXT = 64

_NAMES = re.compile(
    r"(?<![a-z])(?:chat-?gpt|gpt[-_ ]?(?:[2-9]|j\b|neo)\w*|gpt-?oss|openai|text-davinci"
    r"|claude|anthropic|gemini|gemma|(?:code-?)?llama|mistral|mixtral|qwen|deepseek|copilot"
    r"|grok|google bard|(?:am|as|i'm|i’m) bard|cohere|command[- ]r\b|falcon-?\d+b|vicuna"
    r"|stanford alpaca|alpaca-\d+b|kimi|chatglm|glm-\d|phi-[1-5]|nemotron"
    r"|language model,? (?:that was )?(?:trained|developed|created|made|built) by)",
)


def names_a_model(text: str) -> bool:
    return named_at(text) is not None


def named_at(text: str) -> int | None:
    """Where a model or its maker is named first."""
    lowered = text.lower()
    if len(text) > SHORT_TEXT:
        for hint in _HINTS:
            if hint in lowered:
                break
        else:
            return None
    match = _NAMES.search(lowered)
    return match.start() if match else None
