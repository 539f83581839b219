"""Files of suites for tests, in the formats that people have."""

import io
import json
from typing import Any

from annotate.parsing import Source

CASES: list[dict[str, Any]] = [
    {"id": "c-1", "prompt": "What is 6 times 7?", "expected": "42", "category": "sums"},
    {
        "id": "c-2",
        "messages": [{"role": "system", "content": "Be terse."}, {"role": "user", "content": "Hi"}],
        "expected": ["Hello", "Hi"],
        "category": "talk",
        "split": "general",
        "scorer": {"name": "contains", "parameters": {"case": "fold"}},
    },
    {
        "id": "c-3",
        "prompt": "Weather in Oslo?",
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "get_weather",
                    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
                },
            }
        ],
        "expected": {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Oslo"}}]},
        "category": "tools",
    },
]

OPENAI_EVALS = [
    {"input": [{"role": "user", "content": "Capital of France?"}], "ideal": "Paris"},
    {"input": "2+2?", "ideal": ["4", "four"]},
]
FINE_TUNING = [
    {
        "messages": [
            {"role": "user", "content": "Say yes."},
            {"role": "assistant", "content": "Yes."},
        ]
    }
]
MT_BENCH = [
    {"question_id": 81, "category": "writing", "turns": ["Write a post.", "Make it shorter."]},
    {"question_id": 82, "category": "maths", "turns": ["1+1?"], "reference": ["2"]},
]
BFCL = [
    {
        "id": "simple_1",
        "question": [[{"role": "user", "content": "Area of a 3 by 4 room?"}]],
        "function": [
            {
                "name": "area",
                "description": "Area of a rectangle.",
                "parameters": {
                    "type": "dict",
                    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                    "required": ["a", "b"],
                },
            }
        ],
    }
]
BFCL_ANSWERS = [{"id": "simple_1", "ground_truth": [{"area": {"a": [3], "b": [4, ""]}}]}]
CSV = 'id,prompt,expected,category,split\nq-1,"What, now?",soon,talk,general\nq-2,1+1?,2,sums,\n'
YAML = """cases:
  - id: y-1
    prompt: What is 1+1?
    expected: 2
    category: sums
  - id: y-2
    prompt: Say hello.
    expected: [hello, hi]
    scorer: contains
"""


def lines(records: list[Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def source(content: str, name: str = "cases.jsonl") -> Source:
    data = content.encode()
    return Source(name, len(data), lambda: io.BytesIO(data))


def cases(records: list[Any] | None = None, name: str = "cases.jsonl") -> list[Source]:
    return [source(lines(CASES if records is None else records), name)]
