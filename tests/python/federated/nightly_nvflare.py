"""NVFlare's own simulator with bezoar's aggregator in a job: five sites, one of which sends 1e9. Takes most of a minute, so it is
run by name: tools/federated_tests.sh BUILD nvflare-simulator."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import bezoar

CLIENT = """
import nvflare.client as flare
import numpy as np
flare.init()
i = int(flare.get_site_name().split("-")[1])
while flare.is_running():
    params = {name: np.asarray(value, np.float32) for name, value in flare.receive().params.items()}
    new = {name: value + (1e9 if i == 1 else 1 + i / 100) for name, value in params.items()}
    flare.send(flare.FLModel(params=new, params_type="FULL", meta={"NUM_STEPS_CURRENT_ROUND": 10**9 if i == 1 else 1}))
"""
JOB = """
from nvflare.app_common.np.recipes.fedavg import NumpyFedAvgRecipe
from nvflare.recipe import SimEnv
from bezoar.nvflare import RobustAggregator
guard = RobustAggregator("trimmed-mean", f=0.2, log=LOG, parameters={})
recipe = NumpyFedAvgRecipe(name="job", model=[0.0, 0.0], min_clients=5, num_rounds=2, train_script="client.py", aggregator=guard)
recipe.execute(SimEnv(num_clients=5, num_threads=2, workspace_root="workspace")).get_result()
"""


def test_a_job_in_the_simulator(tmp_path):
    shutil.copytree(pathlib.Path(bezoar.__file__).parent, tmp_path / "packages" / "bezoar")  # jobs take no linked sources
    (tmp_path / "client.py").write_text(CLIENT)
    log = tmp_path / "log.jsonl"
    (tmp_path / "job.py").write_text(JOB.replace("LOG", repr(str(log))))
    subprocess.run([sys.executable, "job.py"], cwd=tmp_path, check=True, timeout=500,
                   env={**os.environ, "PYTHONPATH": str(tmp_path / "packages")})
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted((row["round"], row["client"]) for row in rows) == [(r, f"site-{i}") for r in (0, 1) for i in range(1, 6)]
    assert all(row["failure"] is None and row["f"] == 1 for row in rows)
    assert all(row["trimmed"] == 1 and row["distance"] > 1e8 for row in rows if row["client"] == "site-1")
    assert all(row["distance"] < 1 for row in rows if row["client"] != "site-1")
