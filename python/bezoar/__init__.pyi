import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from ._aggregate import AggregateState as AggregateState, Verdict as Verdict, Verdicts as Verdicts
from ._core import (
    CancelledError as CancelledError,
    Error as Error,
    FileError as FileError,
    FormatError as FormatError,
    InternalError as InternalError,
    LimitError as LimitError,
    OutOfMemoryError as OutOfMemoryError,
    UnsupportedError as UnsupportedError,
    UsageError as UsageError,
)
from ._report import CleanResult as CleanResult, Finding as Finding, Report as Report

__version__: str

_Path = str | os.PathLike[str]
_Severity = Literal["note", "warning", "error", "never"]
_Integers = Literal["median", "maximum", "reference"]
_Tree = Any  # an array or tensor, or dicts, lists and tuples of trees
_ColumnType = Literal["numeric", "categorical", "text", "identifier", "time"]

def scan(
    data: Any,
    *,
    label: str | Sequence[Any] | Any | None = None,
    text: str | Iterable[str] | None = None,
    source: str | None = None,
    id: str | None = None,
    types: Mapping[str, _ColumnType] | None = None,
    columns: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    only: str | Iterable[str] | None = None,
    skip: str | Iterable[str] | None = None,
    sample: int = 0,
    max_time: float = 0.0,
    memory: int = 0,
    seed: int = 0,
    threads: int = 0,
    guess: bool = True,
    suppress: _Path | None = None,
    baseline: _Path | None = None,
    new_only: bool = False,
    ruleset: int = 0,
    name: str | None = None,
    progress: Callable[[str, str, int, int], bool | None] | None = None,
    max_download: int = 0,
    net_timeout: float = 0.0,
    base: _Path | None = None,
    bank: _Path | None = None,
    known: _Path | None = None,
    sandbox: bool = True,
) -> Report: ...
def outliers(
    X: Any,
    *,
    method: Literal["isolation-forest", "ecod", "copod", "robust-covariance"] = "isolation-forest",
    seed: int = 0,
    threads: int = 0,
    trees: int = 100,
    sample: int = 256,
    support: float | None = None,
) -> np.ndarray[tuple[int], np.dtype[np.float64]]: ...
def load(path: _Path) -> Report: ...
def clean(
    path: _Path,
    report: Report | _Path,
    out: _Path,
    quarantine: _Path | None = None,
    *,
    at_least: _Severity = "error",
    with_lists: bool = False,
    labels_file: _Path | None = None,
    labels_out: _Path | None = None,
    embeddings: _Path | None = None,
    embeddings_out: _Path | None = None,
) -> CleanResult: ...
def poison(
    path: _Path,
    out: _Path,
    answer_key: _Path | None = None,
    *,
    attack: str,
    rows: int = 0,
    share: float = 0.0,
    target: str | None = None,
    source_class: str | None = None,
    seed: int = 0,
    label: str | None = None,
    labels_file: _Path | None = None,
    labels_out: _Path | None = None,
    text: str | Iterable[str] | None = None,
    types: Mapping[str, _ColumnType] | None = None,
    **params: Any,
) -> None: ...
def aggregate(
    updates: Iterable[_Tree],
    rule: str = "trimmed-mean",
    f: int = 0,
    *,
    pre: str | Iterable[str] = (),
    reference: _Tree | None = None,
    root: _Tree | None = None,
    clients: Iterable[str | int] | None = None,
    examples: Iterable[float] | None = None,
    max_weight: float | None = None,
    integers: _Integers = "median",
    state: AggregateState | None = None,
    seed: int = 0,
    threads: int = 0,
    progress: Callable[[str, str, int, int], bool | None] | None = None,
    **parameters: float,
) -> tuple[Any, Verdicts]: ...
def aggregate_files(
    paths: _Path | Iterable[_Path],
    out: _Path,
    rule: str = "trimmed-mean",
    f: int = 0,
    *,
    pre: str | Iterable[str] = (),
    reference_model: _Path | None = None,
    root: _Path | None = None,
    state: _Path | None = None,
    examples: _Path | None = None,
    max_weight: float | None = None,
    integers: _Integers = "median",
    seed: int = 0,
    threads: int = 0,
    progress: Callable[[str, str, int, int], bool | None] | None = None,
    **parameters: float,
) -> Report: ...
def list_aggregators() -> list[dict[str, Any]]: ...
def list_detectors() -> list[dict[str, Any]]: ...
def attack_updates(
    honest: Iterable[_Tree],
    attack: str,
    n_malicious: int,
    *,
    seed: int = 0,
    **parameters: float | str,
) -> Any: ...
def list_attacks() -> list[dict[str, Any]]: ...
def list_formats() -> list[dict[str, str]]: ...
def list_writers() -> list[dict[str, str]]: ...
