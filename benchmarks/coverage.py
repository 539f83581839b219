"""How often nominal 95 % intervals hold the truth: python -m benchmarks.coverage [--draws N]

Where the law is known, coverage is summed exactly; elsewhere it is simulated, seeded. Of the
confidence sequence: python -m benchmarks.watching.
"""

import argparse
import math
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.stats import binom, norm

from evals.stats.checks import Ints
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.paired import newcombe_paired_difference
from evals.stats.preference import clustered_win_rate, win_rate_from_sums
from evals.stats.proportions import clopper_pearson_interval, wilson_interval
from evals.stats.share_tests import at_odds, clustered_test, sign_test
from evals.stats.strength import mean_strength

SEED = 20261121
SIZES = (20, 50, 100, 200, 500, 2000)
SHARES = (0.5, 0.6, 0.8, 0.9, 0.95, 0.98)
Rng = np.random.Generator


def holds(estimate: Estimate, truth: float) -> bool:
    return (
        estimate.low is not None
        and estimate.high is not None
        and estimate.low <= truth <= estimate.high
    )


def rate_coverage(interval: Callable[[int, int], Estimate], n: int, p: float) -> float:
    """Exact: the probability of all counts whose interval holds p."""
    k = np.arange(n + 1)
    held = np.array([holds(interval(int(one), n), p) for one in k])
    return float(binom.pmf(k, n, p)[held].sum())


def half_coverage(n: int, p: float, ties: float) -> float:
    """Exact: mean of n scores 0, ½ and 1, one an item, by one annotator; its mean is p."""
    tied = ties * 2 * (1 - p)
    law = np.array([1 - p - tied / 2, tied, p - tied / 2])
    # The law of the sum, by the discrete Fourier transform.
    size = 4 * n + 2
    sums = np.fft.irfft(np.fft.rfft(law, size) ** n, size)[: 2 * n + 1]
    held = np.array([holds(half_rate(n, k), p) for k in range(2 * n + 1)])
    return float(sums[held].sum())


def half_rate(n: int, halves: int) -> Estimate:
    """Of a sum the interval is the same, whether its halves are ties or not."""
    won, tied = divmod(halves, 2)
    scores = ((1, 1.0, won), (1, 0.5, tied), (1, 0.0, n - won - tied))
    rows = [row for row in scores if row[2]]
    return win_rate_from_sums(n, halves / 2, won + tied / 4, rows, [(n, halves / 2, 1)])


def paired_coverage(n: int, lost: float, won: float, draws: int, rng: Rng) -> float:
    tables = rng.multinomial(n, [0.6 - won, won, lost, 0.4 - lost], size=draws)
    found = [newcombe_paired_difference(t.reshape(2, 2)) for t in tables]
    return sum(holds(one, won - lost) for one in found) / draws


def votes(
    p: float, items: int, people: int, each: int, spread: tuple[float, float], rng: Rng
) -> tuple[Ints, Ints, Ints]:
    """Items and annotators that lean, on a probit scale; the mean chance to win stays p."""
    on_items, on_people = spread
    centre = norm.ppf(p) * math.sqrt(1 + on_items**2 + on_people**2)
    lean = rng.normal(0, on_items, items)
    taste = rng.normal(0, on_people, people)
    who = np.array([rng.permutation(people)[:each] for _ in range(items)])
    item = np.repeat(np.arange(items), each)
    person = who.ravel()
    chance = norm.cdf(centre + lean[item] + taste[person])
    return item, person, (rng.random(item.size) < chance).astype(np.int64)


def clustered_coverage(
    p: float,
    items: int,
    people: int,
    each: int,
    spread: tuple[float, float],
    draws: int,
    rng: Rng,
) -> tuple[float, float, int]:
    """Coverage of the clustered interval, of a naive Wilson one, and draws without interval."""
    hits = naive = undefined = 0
    for _ in range(draws):
        item, person, won = votes(p, items, people, each, spread, rng)
        try:
            found = clustered_win_rate(item, person, won.astype(float))
        except UndefinedError:
            undefined += 1
            continue
        undefined += found.low is None
        hits += holds(found, p)
        naive += holds(wilson_interval(int(won.sum()), won.size), p)
    return hits / draws, naive / draws, undefined


def table(head: str, cells: Callable[[int, float], float]) -> None:
    print(f"\n{head}\n       n " + "".join(f"{f'p={p}':>9}" for p in SHARES))
    for n in SIZES:
        print(f"{n:>8} " + "".join(f"{100 * cells(n, p):>8.1f}%" for p in SHARES), flush=True)


def test_sizes(
    items: int, people: int, spread: tuple[float, float], ties: float, draws: int, rng: Rng
) -> tuple[float, float, float, float]:
    """How often true shares are rejected at 5 %, three votes an item: by the clustered test, by
    its interval, by a naive test of the votes; and how often the first two are at odds.

    Ties fall on wins and losses alike, and are half a win: the truth stays one half.
    """
    wrong = left_out = naive = odds = 0
    for _ in range(draws):
        item, person, won = votes(0.5, items, people, 3, spread, rng)
        scores = np.where(rng.random(won.size) < ties, 0.5, won)
        rate = clustered_win_rate(item, person, scores)
        test = clustered_test(rate)
        wrong += test.p_value <= 0.05
        left_out += not holds(rate, 0.5)
        odds += at_odds(rate, test)
        naive += abs(scores.mean() - 0.5) > 1.96 * scores.std(ddof=1) / math.sqrt(won.size)
    return wrong / draws, left_out / draws, naive / draws, odds / draws


def sign_test_size(n: int) -> float:
    """Exact: the probability of all counts that the sign test rejects at 5 %."""
    k = np.arange(n + 1)
    rejected = np.array([sign_test(int(one), n - int(one)).p_value <= 0.05 for one in k])
    return float(binom.pmf(k, n, 0.5)[rejected].sum())


def strength_coverage(
    items: int, people: int, reach: int, lean: float, draws: int, rng: Rng
) -> float:
    """Coverage of the mean strength, three choices an item, items and people leaning."""

    def choices(items: int, people: int) -> tuple[Ints, Ints, Ints]:
        item = np.repeat(np.arange(items), 3)
        # Each item by three people in a row, at a random start: none of them twice.
        person = (np.repeat(rng.integers(0, people, items), 3) + np.tile([0, 1, 2], items)) % people
        own = rng.normal(0, 1, items)[item] + rng.normal(0, 0.4, people)[person]
        said = np.round(reach / 2 * (lean + own + rng.normal(0, 1, item.size)))
        return item, person, np.clip(said, -reach, reach).astype(np.int64)

    # Nobody and nothing leans twice: the mean over all studies.
    truth = float(choices(600_000, 600_000)[2].mean()) / reach
    hits = sum(holds(mean_strength(*choices(items, people), reach=reach), truth)
               for _ in range(draws))  # fmt: skip
    return hits / draws


def size_tables(draws: int, rng: Rng) -> None:
    print(f"\nTests of a win rate of 50 %, three judgements an item, {draws} draws: wrong at 5 %")
    print("  items people  ties  spread                       test  interval  naive  at odds")
    for items, people in ((100, 8), (200, 12), (300, 20)):
        for ties in (0.0, 0.3):
            for name, spread in SPREADS.items():
                found = test_sizes(items, people, spread, ties, draws, rng)
                told = "".join(f"{100 * share:>8.1f}%" for share in found)
                print(f"{items:>7} {people:>6} {ties:>5}  {name:<22} {told}", flush=True)
    told = ", ".join(f"{100 * sign_test_size(n):.1f} % of {n}" for n in (20, 50, 100, 300))
    print(f"Exact sign test, one judgement an item: {told}")
    print(f"\nMean strength, three judgements an item, {draws} draws")
    for items, people, reach, lean in ((50, 8, 2, 0.5), (200, 12, 2, 0.5), (200, 12, 3, 2.0)):
        share = strength_coverage(items, people, reach, lean, draws, rng)
        print(f"{items:>7} items, {people} people, {2 * reach + 1} points, lean {lean}: "
              f"{100 * share:.1f}%", flush=True)  # fmt: skip


SPREADS = {"items lean": (1.0, 0.0), "items and people lean": (1.0, 0.4)}
LEANING = {**SPREADS, "items lean much": (2.5, 0.0)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", choices=["tests", "rates"], help="tests, or single votes, alone")
    asked = parser.parse_args()
    draws, rng = asked.draws, np.random.default_rng(SEED)
    if asked.only != "tests":
        single_votes(draws, rng)
    if asked.only is None:
        intervals(draws, rng)
    if asked.only != "rates":
        size_tables(draws, np.random.default_rng(SEED))


def single_votes(draws: int, rng: Rng) -> None:
    table(
        "One rate, as gates have it: Clopper-Pearson, summed exactly",
        partial(rate_coverage, clopper_pearson_interval),
    )
    for ties in (0.0, 0.3):
        table(
            f"Win rate, one vote an item, under 5 annotators; {ties:.0%} of losses, and as many "
            "wins, are ties: summed exactly",
            partial(half_coverage, ties=ties),
        )
    print(f"\nWin rate, one vote an item, 5 annotators and more, {draws} draws")
    print("  items people      p  spread                  clustered   naive  none")
    for items, people in ((20, 5), (25, 25), (50, 8), (50, 50), (200, 30)):
        for p in (0.5, 0.9, 0.98):
            clustered_row(p, items, people, 1, "items lean", draws, rng)

    print(f"\nWin rate, two and three votes an item, 3 annotators, {draws} draws")
    print("  items people each      p  spread                  clustered   naive  none")
    for items in (20, 25, 50, 100):
        for each in (2, 3):
            for p in (0.9, 0.95, 0.98):
                for name in ("items lean", "items lean much"):
                    clustered_row(p, items, 3, each, name, draws, rng)


def intervals(draws: int, rng: Rng) -> None:
    print(f"\nPaired difference, Newcombe, {draws} draws\n       n  lost/won  coverage")
    for n in SIZES:
        for lost, won in ((0.05, 0.05), (0.02, 0.1), (0.1, 0.2)):
            share = paired_coverage(n, lost, won, draws, rng)
            print(f"{n:>8}  {lost}/{won}  {100 * share:.1f}%", flush=True)
    print(f"\nWin rate, judgements share items and annotators, {draws} draws")
    print("  items people each      p  spread                  clustered   naive  none")
    for items, people, each in ((20, 6, 3), (50, 8, 3), (200, 12, 3), (200, 30, 3), (650, 30, 3)):
        for p in SHARES:
            for name in SPREADS:
                clustered_row(p, items, people, each, name, draws, rng)


def clustered_row(
    p: float, items: int, people: int, each: int, name: str, draws: int, rng: Rng
) -> None:
    found = clustered_coverage(p, items, people, each, LEANING[name], draws, rng)
    share, naive, none = found
    print(
        f"{items:>7} {people:>6} {each:>4} {p:>6}  {name:<22} {100 * share:>9.1f}% "
        f"{100 * naive:>6.1f}% {none:>5}",
        flush=True,
    )


if __name__ == "__main__":
    main()
