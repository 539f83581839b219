"""Does a text say which model wrote it? A word list: it flags, it does not judge.

Plain substring searches come first because they are an order of magnitude faster than a regular
expression, and almost every text ends there.
"""

import re

_HINTS = (
    "gpt", "openai", "claude", "anthropic", "gemini", "gemma", "llama", "mistral", "mixtral",
    "qwen", "tongyi", "deepseek", "copilot", "grok", "bard", "vicuna", "alpaca", "falcon",
    "cohere", "command r", "command-r", "hunyuan", "doubao", "ernie", "kimi", "chatglm", "glm-",
    "internlm", "baichuan", "yi-34b", "phi-", "nemotron", "olmo", "starcoder", "wizardlm",
    "language model",
)  # fmt: skip

_NAMES = re.compile(
    r"(?<![a-z])(?:chat-?gpt|gpt[-_ ]?(?:[2-9]|j\b|neo)\w*|gpt-?oss|openai|text-davinci"
    r"|claude|anthropic|gemini|gemma|(?:code-?)?llama|mistral|mixtral|qwen|tongyi|deepseek"
    r"|copilot|grok|google bard|(?:am|as|i'm|i’m) bard|vicuna|stanford alpaca|alpaca-\d+b"
    r"|falcon-?\d+b|cohere|command[- ]r\b|hunyuan|doubao|ernie bot|kimi|chatglm|glm-\d|internlm"
    r"|baichuan|yi-34b|phi-[1-5]|nemotron|olmo|starcoder|wizardlm"
    r"|language model,? (?:that was )?(?:trained|developed|created|made|built) by)",
)


def names_a_model(text: str) -> bool:
    lowered = text.lower()
    return any(hint in lowered for hint in _HINTS) and _NAMES.search(lowered) is not None
