"""Bezoar finds poison in training data: rows planted to make a model misbehave.

>>> import bezoar
>>> report = bezoar.scan("train.csv", label="income")      # also DataFrames, Arrow tables, NumPy arrays
>>> report.exit_code("error")
0
>>> for finding in report.findings:
...     print(finding.severity, finding.title)
"""

from ._aggregate import AggregateState, Verdict, Verdicts, aggregate, aggregate_files, list_aggregators
from ._api import (
    clean,
    list_attacks,
    list_detectors,
    list_formats,
    list_writers,
    load,
    outliers,
    poison,
    scan,
)
from ._attack_updates import attack_updates
from ._core import (
    CancelledError,
    Error,
    FileError,
    FormatError,
    InternalError,
    LimitError,
    OutOfMemoryError,
    UnsupportedError,
    UsageError,
    version as __version__,
)
from ._report import CleanResult, Finding, Report

__all__ = [
    "AggregateState",
    "CancelledError",
    "CleanResult",
    "Error",
    "FileError",
    "Finding",
    "FormatError",
    "InternalError",
    "LimitError",
    "OutOfMemoryError",
    "Report",
    "UnsupportedError",
    "UsageError",
    "Verdict",
    "Verdicts",
    "__version__",
    "aggregate",
    "aggregate_files",
    "attack_updates",
    "clean",
    "list_aggregators",
    "list_attacks",
    "list_detectors",
    "list_formats",
    "list_writers",
    "load",
    "outliers",
    "poison",
    "scan",
]
