"""An annotator who speaks HTTP and nothing else: the pages, their forms, their cookies."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

EMPTY = "Thistextisempty."
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr", "source"}


class Reader(HTMLParser):
    """The texts of a judging page: its prompt, the outputs, the hidden fields of its rubric."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: dict[str, list[str]] = {"left": [], "right": [], "prompt": []}
        self.hidden: dict[str, str] = {}
        self.action = ""
        # For each open element: the region it is in, and whether it shows a text of the item.
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "input" and found.get("type") == "hidden":
            self.hidden.setdefault(found.get("name", ""), found.get("value", ""))
        if tag == "form" and found.get("id") == "rubric":
            self.hidden.clear()
            self.action = found["action"]
        if tag not in VOID:
            self._open.append(self._room(found))

    def _room(self, attributes: dict[str, str]) -> tuple[str, bool]:
        region, inside = self._open[-1] if self._open else ("", False)
        if attributes.get("id") in ("left", "right"):
            region = attributes["id"]
        elif attributes.get("class") == "prompt":
            region = "prompt"
        return region, inside or attributes.get("class") == "text"

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        region, inside = self._open[-1] if self._open else ("", False)
        if region and inside:
            self.texts[region].append(data)


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task as its annotator sees it."""

    address: str
    prompt: str
    left: str
    right: str
    hidden: dict[str, str]


def words(text: str) -> str:
    """A text without its white space: how a page breaks lines is its own affair."""
    found = re.sub(r"\s+", "", text)
    return "" if found == EMPTY else found


def read_task(html: str) -> OpenTask:
    reader = Reader()
    reader.feed(html)
    texts = {room: "".join(parts) for room, parts in reader.texts.items()}
    return OpenTask(reader.action, texts["prompt"], texts["left"], texts["right"], reader.hidden)


@dataclass
class Annotator:
    """A signed-in browser without a screen; `session` is its session cookie."""

    host: str
    port: int
    session: str
    csrf: str = "x" * 32
    status: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection = HTTPConnection(self.host, self.port, timeout=120)

    def close(self) -> None:
        self.connection.close()

    def send(self, method: str, path: str, **fields: str) -> tuple[int, dict[str, str], str]:
        """One request; on POST with the token, as HTMX sends it."""
        body, headers = None, {}
        if method == "POST":
            body = urlencode(fields | {"csrfmiddlewaretoken": self.csrf})
            headers = {
                "Content-Type": "application/x-www-form-urlencoded",
                "HX-Request": "true",
            }
        return self._exchange(method, path, body, headers)

    def ask_again(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
        """As HTMX asks for a region, with the headers that the region gave it."""
        return self._exchange("GET", path, None, headers | {"HX-Request": "true"})

    def _exchange(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], str]:
        cookies = {"Cookie": f"session={self.session}; csrf={self.csrf}"}
        self.connection.request(method, path, body, headers | cookies)
        with self.connection.getresponse() as answer:
            text = answer.read().decode()
        self.status[answer.status] = self.status.get(answer.status, 0) + 1
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text

    def begin(self, study: str) -> OpenTask | None:
        """Ask for a task of the study; None when there is none."""
        _, headers, _ = self.send("POST", f"/judge/{study}/")
        to = urlsplit(headers.get("hx-redirect", "")).path
        return self.open(to) if "/tasks/" in to else None

    def open(self, path: str) -> OpenTask:
        _, _, html = self.send("GET", path)
        return read_task(html)

    def judge(self, task: OpenTask, **said: str) -> tuple[int, OpenTask | None]:
        """Send an answer; the status, and the next task that came back with it."""
        status, headers, html = self.send("POST", task.address, **task.hidden | said)
        has_next = status == 200 and "hx-push-url" in headers
        return status, read_task(html) if has_next else None
