"""The statistics and the gates know nothing of Django, and load quickly."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import importlib, pkgutil, sys
import evals.stats
for module in pkgutil.iter_modules(evals.stats.__path__):
    importlib.import_module(f"evals.stats.{module.name}")
import evals.gate
print(sorted(set(sys.modules) & {"django", "scipy.stats", "krippendorff", "statsmodels"}))
"""


def test_no_formula_imports_django_or_a_heavy_package() -> None:
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout == "[]\n"
