"""What loads quickly: statistics and gates without Django, the app without heavy packages."""

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


APP = """
import sys
import django
django.setup()
import config.urls
import evals.jobs
print(sorted(set(sys.modules) & {"openai", "scipy.stats", "pandas", "krippendorff", "statsmodels"}))
"""


def run(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_no_formula_imports_django_or_a_heavy_package() -> None:
    assert run(PROGRAM) == "[]\n"


def test_the_app_starts_without_what_few_processes_need() -> None:
    assert run(APP) == "[]\n"
