"""Every statistic that pages show, beside the fastest public implementation of the same figure.

    python -m benchmarks.beside_others [--judgements 1000000] [--only WORD] [--markdown]

Judgements are simulated (200 annotators, three to seven of each item, a fifth as many items).
Printed of each figure: our seconds of the processor (one thread) and theirs, how many times as
long theirs takes, how far the numbers lie apart (exit 1 where further than the tolerance), and
memory: the peak of the resident set over what was held before, as the kernel counts it, in a
forked process for each side. "kinds of items" are the distinct rows that PostgreSQL's counts come
to; what cannot take these is given the counts of all items.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.beside import agreement, pairs, preference, systems, testing
from benchmarks.beside.judgements import ANNOTATORS, Judgements, simulate
from benchmarks.beside.measuring import Case, Measured, Public, measured
from benchmarks.beside.packages import versions

HEAD = ("figure", "given", "ours", "theirs", "ratio", "apart", "tolerance", "our MB", "their MB",
        "public implementation")  # fmt: skip
WIDTHS = (58, 40, 11, 11, 8, 9, 9, 8, 9, 0)


@dataclass(frozen=True)
class Beside:
    """One public implementation, measured."""

    public: Public
    found: Measured
    apart: float

    @property
    def seconds(self) -> float:
        return self.found.seconds * self.public.times

    @property
    def is_same(self) -> bool:
        return self.apart <= self.public.tolerance


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--judgements", type=int, default=1_000_000)
    asked.add_argument("--only", default="", help="Figures whose name holds this.")
    asked.add_argument("--markdown", action="store_true", help="A table for a document.")
    given = asked.parse_args()
    if "OPENBLAS_NUM_THREADS" not in os.environ:
        # Threads that wait for one another would count as work. Read as numpy is imported.
        again = [sys.executable, "-m", "benchmarks.beside_others", *sys.argv[1:]]
        sys.exit(subprocess.call(again, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}))
    said = simulate(given.judgements)
    print(f"{said.n:,} judgements of {said.items:,} items by {ANNOTATORS} annotators; "
          f"load {os.getloadavg()[0]:.1f}; {', '.join(versions())}")  # fmt: skip
    show(HEAD, markdown=given.markdown)
    if given.markdown:
        show(["---"] * len(HEAD), markdown=True)
    asked_for = [one for one in every_case(said) if given.only.lower() in one.name.lower()]
    differing = [
        f"{one.name}, from {one.given}" for one in asked_for if not compare(one, given.markdown)
    ]
    print(f"load {os.getloadavg()[0]:.1f}")
    if differing:
        print("further apart than the tolerance:\n  " + "\n  ".join(differing))
        sys.exit(1)


def every_case(said: Judgements) -> list[Case]:
    return [
        *agreement.cases(said),
        *pairs.cases(said),
        *preference.cases(said),
        *systems.cases(said.n),
        *testing.cases(said.n),
    ]


def compare(case: Case, markdown: bool) -> bool:
    """Measure and show one figure; whether all implementations agree on it."""
    ours = measured(case.ours)
    there = [one for one in case.others if one.work is not None]
    found = [_beside(one, ours) for one in there]
    start = [case.name, case.given, seconds(ours.seconds)]
    memory = f"{ours.megabytes:.1f}"
    if not found:
        missing = ", ".join(one.name for one in case.others)
        why = f"{missing}: not installed" if missing else "none known"
        show([*start, "", "", "", "", memory, "", why], markdown=markdown)
        return True
    for one in sorted(found, key=lambda one: one.seconds):
        ratio = f"{one.seconds / ours.seconds:.1f}"
        apart = f"{one.apart:.0e}" + ("" if one.is_same else " !")
        row = [*start, seconds(one.seconds), ratio, apart, f"{one.public.tolerance:.0e}", memory,
               f"{one.found.megabytes:.1f}", one.public.name]  # fmt: skip
        show(row, markdown=markdown)
    return all(one.is_same for one in found)


def _beside(public: Public, ours: Measured) -> Beside:
    assert public.work is not None
    found = measured(public.work)
    if found.values.shape != ours.values.shape:
        return Beside(public, found, float("inf"))
    # NaN stands where theirs was not asked.
    gaps = np.abs(found.values - ours.values)[~np.isnan(found.values)]
    apart = float("inf") if np.isnan(gaps).any() or not gaps.size else float(gaps.max())
    return Beside(public, found, apart)


def seconds(value: float) -> str:
    if value < 1e-3:
        return f"{value * 1e6:.1f} µs"
    return f"{value * 1e3:.2f} ms" if value < 1 else f"{value:.2f} s"


def show(row: Sequence[str], *, markdown: bool) -> None:
    if markdown:
        print(f"| {' | '.join(row)} |", flush=True)
    else:
        print(" ".join(cell.ljust(w) for cell, w in zip(row, WIDTHS, strict=True)), flush=True)


if __name__ == "__main__":
    main()
