"""The answers of two runs to the same cases, side by side, as texts that can be judged."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from annotate.parsing.chat import messages as conversation
from evals.models import Case, Generation, Run

CHUNK = 200


class JudgeError(Exception):
    """These runs cannot be judged; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A case with the answers of both systems."""

    case: Case
    baseline: Generation
    candidate: Generation

    @property
    def settled(self) -> str:
        """Who is better without asking: "baseline", "candidate", "tie"; "none"; or "" if open.

        A system that failed is no better than one that answered; the same text is a tie.
        """
        failed = bool(self.baseline.error), bool(self.candidate.error)
        if failed != (False, False):
            return {(True, True): "none", (True, False): "candidate"}.get(failed, "baseline")
        return "tie" if answer_of(self.baseline) == answer_of(self.candidate) else ""


def pairs_of(baseline: Run, candidate: Run) -> Iterator[Answered]:
    """Both answers to each case, in the order of the suite.

    Raises
    ------
    JudgeError
        If the runs are not a baseline's and a candidate's, done, of one suite and study.
    """
    _check(baseline, candidate)
    last = 0
    while piece := _piece(baseline, last):
        last = piece[-1].position
        positions = [one.position for one in piece]
        others = {
            one.position: one
            for one in Generation.objects.filter(run=candidate, position__in=positions)
        }
        for one in piece:
            if one.position in others:
                yield Answered(one.case, one, others[one.position])


def _piece(run: Run, last: int) -> list[Generation]:
    answers = Generation.objects.filter(run=run, position__gt=last).select_related("case")
    return list(answers.order_by("position")[:CHUNK])


def _check(baseline: Run, candidate: Run) -> None:
    for run, system in ((baseline, "baseline"), (candidate, "candidate")):
        if run.system != system:
            raise JudgeError(f"Run {run.number} is the {run.system}'s, not the {system}'s.")
        if run.state != Run.State.DONE:
            raise JudgeError(
                f"Run {run.number} is not done: {run.get_state_display().lower()}. Judge it then."
            )
    if baseline.study_id != candidate.study_id:
        raise JudgeError("The runs are of two studies. Choose two of the same.")
    if baseline.suite_id != candidate.suite_id:
        raise JudgeError(
            f"Run {baseline.number} answered {baseline.suite}, run {candidate.number} "
            f"{candidate.suite}. Choose two runs of one version."
        )


def prompt_of(case: Case) -> str:
    """What was asked, as one text: roles are named where there is more than one message."""
    told = conversation(case.messages) or []
    if len(told) == 1 and told[0].role == "user" and not told[0].calls:
        return told[0].content
    turns = [f"[{one.role}]\n{one.content}{_calls_below(one.calls)}" for one in told]
    return "\n\n".join(turns) + _tools(case)


def _tools(case: Case) -> str:
    if not case.tools:
        return ""
    return f"\n\n[tools that may be called]\n{_plain(case.tools)}"


def answer_of(generation: Generation) -> str:
    """What was answered, tool calls below the words."""
    words = generation.text if generation.text is not None else generation.refusal
    return (words or "") + _calls_below(generation.tool_calls)


def _calls_below(calls: Any) -> str:
    return f"\n[tool calls]\n{_plain(calls)}" if calls else ""


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
