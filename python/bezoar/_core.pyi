from collections.abc import Callable, Sequence
from typing import Any, NoReturn, final

version: str

class Error(Exception):
    code: str
    subject: str
    line: int | None
    offset: int | None

class UsageError(Error, ValueError): ...
class FileError(Error, OSError): ...
class FormatError(Error, ValueError): ...
class LimitError(Error): ...
class OutOfMemoryError(Error, MemoryError): ...
class UnsupportedError(Error): ...
class CancelledError(Error): ...
class InternalError(Error): ...

@final
class Report:
    def count(self, severity: str, /) -> int: ...
    def exit_code(self, fail_on: str, /) -> int: ...
    def unexamined(self) -> int: ...
    def findings(self) -> list[dict[str, Any]]: ...
    def rows(self) -> list[tuple[int, str, str, float, float, str | None, str | None, int, str | None]]: ...
    def render(
        self,
        format: str,
        redact: bool = ...,
        color: bool = ...,
        ascii: bool = ...,
        width: int = ...,
        without_run: bool = ...,
    ) -> bytes: ...

def scan(source: Sequence[str] | object, name: str, options: dict[str, Any], /) -> Report: ...
def load(path: str, /) -> Report: ...
def clean(
    path: str,
    report: Report,
    at_least: str,
    with_lists: bool,
    out: str,
    quarantine: str | None,
    labels_file: str | None,
    labels_out: str | None,
    embeddings: str | None,
    embeddings_out: str | None,
    /,
) -> tuple[int, int, int]: ...
def poison(
    path: str,
    attack: str,
    target: str | None,
    source_class: str | None,
    rows: int,
    share: float,
    params: Sequence[str],
    options: dict[str, Any],
    out: str,
    labels_out: str | None,
    key: str | None,
    /,
) -> None: ...
def outliers(
    x: Any,
    score: Any,
    rows: int,
    columns: int,
    method: str,
    seed: int,
    threads: int,
    trees: int,
    sample: int,
    support: float,
    /,
) -> None: ...
def column_stream(
    columns: list[tuple[str, str, object | None, object, object | None]], rows: int, /
) -> object: ...

# (client, examples, names, leaves); a leaf is a buffer, a DLPack capsule, or a pair of one and "BOOL" or "BF16"
_Update = tuple[str, float, list[str], list[Any]]
# (rule, pre, f, parameters, by declared examples, max_weight, integers, seed, threads, progress)
_Chain = tuple[
    str, Sequence[str], int, list[tuple[str, float]], bool, float, str, int, int, Callable[[str, str, int, int], Any] | None
]

def aggregate(
    updates: list[_Update],
    reference: _Update | None,
    root: _Update | None,
    make_out: Callable[[int, list[tuple[str, tuple[int, ...]]]], _Update],
    state: object | None,
    chain: _Chain,
    /,
) -> list[tuple[bool, str, str, float, float, float, float]]: ...
def aggregate_files(
    paths: Sequence[str],
    out: str,
    reference: str | None,
    root: str | None,
    state: str | None,
    examples: str | None,
    chain: _Chain,
    /,
) -> Report: ...
def state_create(path: str | None, /) -> object: ...
def state_save(state: object, path: str, /) -> None: ...
def state_count(state: object, /) -> int: ...
def attack_updates(
    honest: Any, out: Any, n: int, d: int, n_malicious: int, attack: str, params: Sequence[str], seed: int, /
) -> None: ...
def fail(kind: type[Error], subject: str, message: str, /) -> NoReturn: ...
def aggregators() -> list[dict[str, Any]]: ...
def detectors() -> list[dict[str, Any]]: ...
def attacks() -> list[dict[str, Any]]: ...
def formats() -> list[dict[str, str]]: ...
def writers() -> list[dict[str, str]]: ...
def severities() -> list[str]: ...
