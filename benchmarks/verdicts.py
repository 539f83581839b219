"""How often the verdict is wrong: python -m benchmarks.verdicts [--draws N]

Seven gates on simulated evidence of systems whose truth is known, judged by intervals, as the
product does, and by points, as a spreadsheet does.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.gate import DEFAULT_GATES, Evidence, Gate, judge_gate, verdict
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.latency import least_for_ratio, quantile_ratio
from evals.stats.paired import differences_with_alarm, newcombe_paired_difference
from evals.stats.preference import clustered_win_rate
from evals.stats.proportions import clopper_pearson_interval

SEED = 20261121
SIZES = (50, 100, 200, 500, 1000)
CATEGORIES = 4
PEOPLE = 10
EACH = 3
BOOTSTRAP = 500
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Truth:
    """What a candidate is in truth; `ok` whether it may ship by the default gates."""

    name: str
    ok: bool
    gain: float = 0.12
    losses: tuple[float, ...] = (0.0,) * CATEGORIES
    exact: float = 0.92
    slower: float = 1.2
    preferred: float = 0.70
    robust: float = 0.96
    schema: float = 1.0


TRUTHS = (
    Truth("good", ok=True),
    Truth("no gain on the target task", ok=False, gain=0.0),
    Truth("10 points lost in one category", ok=False, losses=(-0.10, 0.0, 0.0, 0.0)),
    Truth("preferred by half only", ok=False, preferred=0.5),
    Truth("no gain anywhere, no preference", ok=False, gain=0.0, preferred=0.5),
    Truth(
        "good by far", ok=True, gain=0.15, losses=(0.03,) * CATEGORIES, exact=0.95, slower=1.1,
        preferred=0.75, robust=0.98,
    ),
)  # fmt: skip


def paired(n: int, difference: float, rng: Rng) -> np.ndarray:
    """Pass and fail of both systems: a baseline of 70 %, discordance of at least 10 points."""
    won = 0.05 + max(0.0, difference)
    lost = 0.05 + max(0.0, -difference)
    both = 0.70 - lost
    return rng.multinomial(n, [both, won, lost, 1 - both - won - lost]).reshape(2, 2)


def human(n: int, preferred: float, rng: Rng) -> Estimate | Undefined:
    items = max(2, n // EACH)
    lean = rng.normal(0, 0.15, items)
    item = np.repeat(np.arange(items), EACH)
    person = np.concatenate([rng.permutation(PEOPLE)[:EACH] for _ in range(items)])
    won = rng.random(item.size) < np.clip(preferred + lean[item], 0, 1)
    return attempt(clustered_win_rate, item, person, won.astype(float))


def evidence(truth: Truth, n: int, rng: Rng) -> list[Evidence]:
    gates = {gate.key: gate for gate in DEFAULT_GATES}
    general = [paired(max(5, n // CATEGORIES), loss, rng) for loss in truth.losses]
    regression = differences_with_alarm(general, gates["general_regression"].threshold)
    slow = rng.lognormal(np.log(truth.slower), 0.5, n)
    fast = rng.lognormal(0.0, 0.5, n)
    ratio = attempt(
        quantile_ratio, slow, fast, draws=BOOTSTRAP, least=least_for_ratio(0.99), seed=1
    )
    return [
        Evidence("target_improvement", newcombe_paired_difference(paired(n, truth.gain, rng))),
        *(Evidence("general_regression", one, part=str(k)) for k, one in enumerate(regression)),
        Evidence("exact_match", clopper_pearson_interval(int(rng.binomial(n, truth.exact)), n)),
        Evidence("latency_p99", ratio, "requests", begun=isinstance(ratio, Undefined)),
        Evidence("human_preference", human(n, truth.preferred, rng)),
        Evidence("adversarial", clopper_pearson_interval(int(rng.binomial(n, truth.robust)), n)),
        Evidence(
            "schema_compliance", clopper_pearson_interval(int(rng.binomial(n, truth.schema)), n)
        ),
    ]


def by_intervals(given: Sequence[Evidence], gates: Sequence[Gate]) -> str:
    return verdict([judge_gate(gate, given) for gate in gates])


def by_points(given: Sequence[Evidence], gates: Sequence[Gate]) -> str:
    """Every estimate against its threshold, as if it were the truth."""
    for gate in gates:
        for one in given:
            if one.gate_key != gate.key or isinstance(one.estimate, Undefined):
                continue
            value = one.estimate.value
            passes = (
                value >= gate.threshold
                if gate.direction == "at least"
                else (value <= gate.threshold)
            )
            if not passes:
                return "NO-GO"
    return "GO"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--without-latency", action="store_true", help="six gates, any n")
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    gates = [
        gate
        for gate in DEFAULT_GATES
        if not (options.without_latency and gate.key == "latency_p99")
    ]
    print(f"{len(gates)} gates, {options.draws} draws; n cases a gate, {EACH} judgements an item")
    print(f"{'truth':<34}{'n':>6}{'GO':>8}{'NO-GO':>8}{'NOT YET':>9}{'GO by points':>15}")
    for truth in TRUTHS:
        for n in SIZES:
            said: Counter[str] = Counter()
            points = 0
            for _ in range(options.draws):
                given = evidence(truth, n, rng)
                said[by_intervals(given, gates)] += 1
                points += by_points(given, gates) == "GO"
            shares = [said[word] / options.draws for word in ("GO", "NO-GO", "NOT YET")]
            wrong = "" if truth.ok or shares[0] <= 0.05 else "  WRONG GO"
            print(
                f"{truth.name:<34}{n:>6}{shares[0]:>8.1%}{shares[1]:>8.1%}{shares[2]:>9.1%}"
                f"{points / options.draws:>15.1%}{wrong}",
                flush=True,
            )


if __name__ == "__main__":
    main()
