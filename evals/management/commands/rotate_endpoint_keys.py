"""manage.py rotate_endpoint_keys: encrypt all stored keys of endpoints with the newest key."""

from typing import Any

from annotate.commanding import JsonCommand, RefusedCommandError
from evals.endpoints import SealError, rotate_keys


class Command(JsonCommand):
    help = "Encrypt every stored key of an endpoint anew, with the first of the present keys."

    def answer(self, **options: Any) -> dict[str, Any]:
        try:
            done, unread = rotate_keys()
        except SealError as error:
            raise RefusedCommandError(str(error)) from None
        for name in unread:
            self.note(f"The key of {name} cannot be decrypted. Give it again on its page.")
        return {"rotated": done, "unreadable": unread}

    def in_words(self, answer: dict[str, Any]) -> str:
        return f"{answer['rotated']} stored keys are encrypted with the first of the present keys."

    def exit_code(self, answer: dict[str, Any]) -> int:
        return 1 if answer["unreadable"] else 0
