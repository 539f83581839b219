"""Fill the database of an installation: a study to judge, and people who are signed in.

Run as `python -m django` is: in a process of its own, with that installation's settings.
"""

import json
import sys

from annotate.models import Study, User
from benchmarks.serving import session_of
from tests.factories import make_batch, make_study
from tests.faults.steadfast import CRITERIA


def main(name: str, items: str, overlap: str, people: str) -> None:
    annotators = [
        User.objects.create_user(f"{name}-{number}@example.org", name=f"{name} {number}")
        for number in range(int(people))
    ]
    study: Study = make_study(
        name, overlap=int(overlap), criteria=CRITERIA, annotators=annotators, slug=name
    )
    make_batch(study, int(items))
    sessions = [session_of(annotator) for annotator in annotators]
    print(json.dumps({"study": str(study.public_id), "sessions": sessions}))


if __name__ == "__main__":
    main(*sys.argv[1:])
