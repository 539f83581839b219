"""All benchmarks, one after the other: python -m benchmarks."""

import subprocess
import sys

ALL = ("showing", "claim_cost", "import_rows", "run_throughput", "scoring", "coverage", "verdicts")

if __name__ == "__main__":
    for name in ALL:
        print(f"\n== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
