"""Where tests find the makers of tests/golden-bad/audit/."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden-bad" / "audit"))
import make  # noqa: E402,F401
from pickles import CODE, EVIL, FORMS, call, corpus, hidden_entry, zipped  # noqa: E402,F401
