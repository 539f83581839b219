"""How often what the page says of looking every day is ever wrong: python -m benchmarks.watching

Judgements come in as the product hands items out: by rank, each annotator at their own speed and
from their own day on, some tasks given back, some judgements corrected later. After every one of
them it is asked whether the interval that the page would show leaves out the truth. `--draws N`
studies a setting, `--only K` of the settings (numbers as printed); seeded.
"""

import argparse
import heapq
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from evals.stats.anytime import (
    FIRST_LOOK,
    annotators_margin,
    betting_excludes,
    betting_limits,
    widened,
)
from evals.stats.checks import Floats, Ints
from evals.stats.distributions import student_quantile
from evals.stats.sequential import asymptotic_confidence_sequence
from evals.stats.vote_sums import MIN_ANNOTATORS

SEED = 20261121
Rng = np.random.Generator
Flags = npt.NDArray[np.bool_]
GIVEN_BACK = 0.05
CORRECTED = 0.05
# How many standard errors an end is away at least; the check of a draw would find it wrong.
NEVER_NEARER = 1.0
# Draws that are looked at with the very functions of the page, and whose widths are told.
CLOSELY = 20


@dataclass(frozen=True)
class Setting:
    """Items and people that lean, on a probit scale; the mean chance to win stays `p`."""

    p: float
    overlap: int
    people: int
    lean: float
    taste: float
    ties: float = 0.0
    items: int = 300

    @property
    def truth(self) -> float:
        return self.ties / 2 + (1 - self.ties) * self.p


SETTINGS = (
    *(
        Setting(0.5, overlap, people, 1.0, taste)
        for people in (8, 20)
        for taste in (0.0, 0.4)
        for overlap in (1, 2, 3, 5)
    ),
    *(Setting(0.5, overlap, 3, 1.0, 0.4) for overlap in (1, 2, 3)),
    *(Setting(p, overlap, 8, 1.0, 0.4) for p in (0.9, 0.98) for overlap in (1, 3)),
    *(Setting(p, overlap, 8, 1.0, 0.0) for p in (0.9, 0.98) for overlap in (1, 3)),
    Setting(0.6, 3, 8, 1.0, 0.4, 0.3),
    Setting(0.6, 3, 5, 1.0, 0.8),
)


def arrivals(setting: Setting, rng: Rng) -> tuple[Ints, Ints]:
    """Item and annotator of each judgement, in the order in which they come in."""
    queue = [item for item in range(setting.items) for _ in range(setting.overlap)]
    taken, met = [False] * len(queue), [set[int]() for _ in range(setting.people)]
    whole = len(queue) / setting.people
    speed = np.exp(rng.normal(0, 0.5, setting.people)).tolist()
    starts = rng.exponential(0.3 * whole, setting.people).tolist()
    coming = [(start, who, -1) for who, start in enumerate(starts)]
    heapq.heapify(coming)
    cursor, idle, found = [0] * setting.people, deque[int](), list[tuple[int, int]]()
    chance = _numbers(rng)
    while coming:
        now, who, held = heapq.heappop(coming)
        if held >= 0 and next(chance) < GIVEN_BACK:
            queue.append(queue[held])
            taken.append(False)
            while idle:
                heapq.heappush(coming, (now, idle.popleft(), -1))
        elif held >= 0:
            found.append((queue[held], who))
        place = cursor[who]
        while place < len(queue) and (taken[place] or queue[place] in met[who]):
            place += 1
        cursor[who] = place
        if place == len(queue):
            idle.append(who)
            continue
        taken[place] = True
        met[who].add(queue[place])
        heapq.heappush(coming, (now - math.log(next(chance)) / speed[who], who, place))
    item, person = np.array(found, dtype=np.int64).T
    return item, person


def _numbers(rng: Rng) -> Iterator[float]:
    while True:
        yield from (1 - rng.random(1000)).tolist()


@dataclass(frozen=True)
class Seen:
    """What the page knows after each judgement or correction.

    Attributes
    ----------
    scores : (V,) array
    counts : (E, V) array
        Complete items with each of the scores.
    votes, sums : (E, people) arrays
        Of each annotator the judgements so far, and the sum of their scores.
    these : (E,) array
        The true mean for the annotators of the complete items, as they share them.
    """

    scores: Floats
    counts: Ints
    votes: Ints
    sums: Floats
    these: Floats

    def at(self, which: Flags) -> "Seen":
        return Seen(self.scores, self.counts[which], self.votes[which], self.sums[which],
                    self.these[which])  # fmt: skip


def study(setting: Setting, rng: Rng) -> Seen:
    """One study from its first judgement to its last, from the first look on."""
    item, who = arrivals(setting, rng)
    scale = math.sqrt(1 + setting.lean**2 + setting.taste**2)
    centre = float(norm.ppf(setting.p)) * scale
    lean = rng.normal(0, setting.lean, setting.items)
    taste = rng.normal(0, setting.taste, setting.people)
    own = norm.cdf((centre + taste) / math.sqrt(1 + setting.lean**2))
    chance = norm.cdf(centre + lean[item] + taste[who])
    both = (rng.random((2, len(item))) < chance).astype(float)
    both[rng.random(both.shape) < setting.ties] = 0.5
    later = np.flatnonzero(rng.random(len(item)) < CORRECTED)
    when = np.concatenate((np.arange(len(item)), later + rng.exponential(20, len(later))))
    order = np.argsort(when, kind="stable")
    which = np.concatenate((np.arange(len(item)), later))[order]
    anew = (np.arange(len(when)) >= len(item))[order]
    change = np.where(anew, both[1, which] - both[0, which], both[0, which])
    return _seen(setting, item[which], who[which], change, ~anew,
                 setting.ties / 2 + (1 - setting.ties) * own)  # fmt: skip


def _seen(setting: Setting, item: Ints, who: Ints, change: Floats, new: Flags, own: Floats) -> Seen:
    entered = _entered(setting, item, change, new)
    by_person = np.zeros((len(item), setting.people))
    by_person[np.arange(len(item)), who] = 1
    votes = np.cumsum(by_person * new[:, None], axis=0)
    sums = np.cumsum(by_person * change[:, None], axis=0)
    counts = np.cumsum(entered, axis=0)
    # An item's annotators count from when it is complete.
    last = np.zeros(setting.items, dtype=np.int64)
    last[item[new]] = np.flatnonzero(new)
    rates = np.bincount(last[item[new]], weights=own[who[new]], minlength=len(item)).cumsum()
    shared = np.bincount(last[item[new]], minlength=len(item)).cumsum()
    found = Seen(
        np.arange(2 * setting.overlap + 1) / (2 * setting.overlap),
        counts.astype(np.int64), votes.astype(np.int64), sums,
        rates / np.maximum(shared, 1),
    )  # fmt: skip
    return found.at(counts.sum(axis=1) >= FIRST_LOOK)


def _entered(setting: Setting, item: Ints, change: Floats, new: Flags) -> Ints:
    """(E, V) array: what becomes of the number of items with each score."""
    moved = np.zeros((len(item), 2 * setting.overlap + 1), dtype=np.int64)
    had, total = [0] * setting.items, [0.0] * setting.items
    for event, (one, more, is_new) in enumerate(
        zip(item.tolist(), change.tolist(), new.tolist(), strict=True)
    ):
        if had[one] == setting.overlap:
            moved[event, round(2 * total[one])] -= 1
        had[one] += is_new
        total[one] += more
        if had[one] == setting.overlap:
            moved[event, round(2 * total[one])] += 1
    return moved


def before(seen: Seen, truth: Floats) -> bool:
    """Whether the asymptotic sequence of item means, blind to annotators, is ever wrong."""
    n = seen.counts.sum(axis=1)
    mean = seen.counts @ seen.scores / n
    sd = np.sqrt(np.maximum(seen.counts @ seen.scores**2 - n * mean**2, 0) / (n - 1))
    half = sd * HALVES[n]
    return bool(((sd > 1e-9) & (np.abs(mean - truth) > half)).any())


HALVES = np.array(
    [math.inf] * 2
    + [asymptotic_confidence_sequence(0.0, 1.0, n).value for n in range(2, 2000)]
)  # fmt: skip


def margins(seen: Seen) -> Floats:
    """What `annotators_margin` says after each judgement; 0 for fewer than 5 annotators."""
    people, total = (seen.votes > 0).sum(axis=1), seen.votes.sum(axis=1)
    residuals = seen.sums - (seen.sums.sum(axis=1) / total)[:, None] * seen.votes
    variance = (residuals**2).sum(axis=1) / total**2 * people / np.maximum(people - 1, 1)
    even = np.floor(total**2 / (seen.votes**2).sum(axis=1) + 1e-9).astype(int)
    t = np.array([student_quantile(0.975, max(1, k - 1)) for k in range(60)])
    return np.where(people < MIN_ANNOTATORS, 0.0, t[even] * np.sqrt(variance))


def wrong(seen: Seen, truth: Floats, margin: Floats) -> Flags:
    """At which looks the widened betting sequence leaves out the truth.

    It does so if the sequence leaves out the place whose distance, widened, is the truth's.
    """
    n = seen.counts.sum(axis=1)
    mean = seen.counts @ seen.scores / n
    gap = mean - truth
    place = mean - np.sign(gap) * np.sqrt(np.maximum(gap**2 - margin**2, 0))
    se = np.sqrt(np.maximum(seen.counts @ seen.scores**2 / n - mean**2, 0) / n)
    asked = (np.abs(gap) > margin) & (np.abs(place - mean) > NEVER_NEARER * se)
    asked &= (place > 0) & (place < 1)
    found = np.zeros(len(gap), dtype=bool)
    found[asked] = betting_excludes(seen.scores, seen.counts[asked], place[asked])
    return found


def check(seen: Seen, truth: Floats, margin: Floats, found: Flags) -> None:
    """The quick ways here say what the functions of the page say."""
    some = np.arange(0, len(truth), 10)
    limits = betting_limits(seen.scores, seen.counts[some])
    for look, mean, low, high in zip(
        some.tolist(), limits.mean, limits.low, limits.high, strict=True
    ):
        rows = [(v, s, 1) for v, s in zip(seen.votes[look], seen.sums[look], strict=True) if v]
        told = annotators_margin(rows) or 0.0
        if abs(told - margin[look]) > 1e-9:
            raise SystemExit(f"the margin is {told}, not {margin[look]}")
        ends = widened(mean, low, high, told)
        if (truth[look] < ends[0] or truth[look] > ends[1]) != found[look]:
            raise SystemExit(f"{truth[look]} is {'' if found[look] else 'not '}left out")


def errors(setting: Setting, draws: int, rng: Rng) -> list[float]:
    """Shares of draws that ever leave out the truth, and how wide the last interval is.

    Before: for all annotators, and for these. After: what it says it speaks of; for these,
    without the margin. Last: mean width before and after.
    """
    ever, widths = np.zeros(4), np.zeros(2)
    for number in range(draws):
        seen = study(setting, rng)
        margin, all_ = margins(seen), np.full(len(seen.these), setting.truth)
        own = np.where(margin > 0, all_, seen.these)
        found = wrong(seen, own, margin)
        if number < CLOSELY:
            check(seen, own, margin, found)
            widths += _widths(seen, float(margin[-1]))
        ever += np.array([before(seen, all_), before(seen, seen.these), found.any(),
                 wrong(seen, seen.these, np.zeros(len(margin))).any()], dtype=float)  # fmt: skip
    return [*(ever / draws).tolist(), *(widths / min(draws, CLOSELY)).tolist()]


def _widths(seen: Seen, margin: float) -> tuple[float, float]:
    last = seen.counts[-1:]
    n, limits = last.sum(), betting_limits(seen.scores, last)
    sd = math.sqrt(max(0.0, float(last[0] @ seen.scores**2 / n - limits.mean[0] ** 2)))
    low, high = widened(limits.mean[0], limits.low[0], limits.high[0], margin)
    return 2 * sd * float(HALVES[n]), high - low


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of settings")
    asked = parser.parse_args()
    print(f"Looked at after every judgement, {asked.draws} studies of 300 items a setting: "
          "ever wrong at 95 %")  # fmt: skip
    print("                                                 before          after      mean width")
    print("       p overlap people  items people ties     all  these    said  these  before after")
    for number, one in enumerate(SETTINGS):
        if asked.only and number not in asked.only:
            continue
        found = errors(one, asked.draws, np.random.default_rng([SEED, number]))
        told = "".join(f"{100 * share:>6.1f}%" for share in found[:4])
        wide = "".join(f"{width:>7.3f}" for width in found[4:])
        print(f"{number:>3} {one.p:>5} {one.overlap:>6} {one.people:>6} {one.lean:>6} "
              f"{one.taste:>6} {one.ties:>5} {told} {wide}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
