"""How much memory a process and those it started hold, for the benchmarks."""
import pathlib


def peak(pid, seen):
    """Resident MiB of a process and those it started, now; the largest so far is kept."""
    total = 0
    for task in [pid, *children(pid)]:
        try:
            status = pathlib.Path(f"/proc/{task}/status").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return max(seen, total / 1024)


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(p) for p in task.read_text().split()]
        except OSError:
            pass
    return found
