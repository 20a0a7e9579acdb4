"""`bezoar` and `python -m bezoar`: the command that came with the wheel."""

import os
import sys
from pathlib import Path


def main():
    tool = Path(__file__).parent / "bin" / "bezoar"
    if not tool.exists():
        sys.exit("bezoar: this installation came without the command; build it with `make build`")
    # The worker that reads Parquet is this package under this interpreter.
    environment = dict(os.environ)
    environment.setdefault("BEZOAR_PYTHON", sys.executable)
    os.execve(tool, ["bezoar", *sys.argv[1:]], environment)


if __name__ == "__main__":
    main()
