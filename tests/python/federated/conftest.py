"""These tests run against the real packages, each in an environment of its own: tools/federated_tests.sh."""
import importlib.util

collect_ignore = []
if importlib.util.find_spec("flwr") is None:
    collect_ignore += ["test_flower.py", "test_flower_legacy.py", "test_simulation.py"]
if importlib.util.find_spec("ray") is None:
    collect_ignore += ["test_simulation.py"]
if importlib.util.find_spec("nvflare") is None:
    collect_ignore += ["test_nvflare.py"]
