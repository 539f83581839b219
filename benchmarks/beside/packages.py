"""Public packages that need not be there: what is missing is said, not installed."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any


def optional(name: str) -> Any:
    """The module, or None where it (or what it needs) is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


# Part of requirements-dev.txt.
krippendorff = optional("krippendorff")
statsmodels = optional("statsmodels.api")
proportion = optional("statsmodels.stats.proportion")
inter_rater = optional("statsmodels.stats.inter_rater")
multitest = optional("statsmodels.stats.multitest")
contingency = optional("statsmodels.stats.contingency_tables")
weightstats = optional("statsmodels.stats.weightstats")
robust = optional("statsmodels.stats.sandwich_covariance")
pandas = optional("pandas")
# Not part of it.
evalica = optional("evalica")
irrcac_raw = optional("irrCAC.raw")
irrcac_table = optional("irrCAC.table")
sklearn_metrics = optional("sklearn.metrics")
choix = optional("choix")
ppi_py = optional("ppi_py")
confseq = optional("confseq.boundaries")

NAMES = (
    "numpy", "scipy", "statsmodels", "krippendorff", "pandas", "evalica", "irrCAC",
    "scikit-learn", "choix", "ppi-python", "confseq",
)  # fmt: skip


def versions() -> list[str]:
    """Each package with its version, or that it is not installed."""
    return [f"{name} {_version(name)}" for name in NAMES]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
