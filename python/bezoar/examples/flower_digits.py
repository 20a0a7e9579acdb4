"""A Flower simulation of the digits task with attackers among the clients: the app of the server and of the clients."""

import functools
import os

os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's workers would yield to whatever else runs
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # the way Ray is going; it warns otherwise

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp

import bezoar
from bezoar.examples import digits

CLIENTS = 20
ATTACKERS = (0, 5, 10, 15)  # 4 of 20; spread, so that every digit has honest clients too
ROUNDS = 10
ATTACKS = {"alie": {"z": 4}, "min-max": {"deviation": "unit"}, "nan": {}}


@functools.lru_cache(maxsize=1)
def _shares():
    """Every client's pictures and labels. Each has two or three digits only, as where clients differ much."""
    pictures, labels, _, _ = digits.load()
    return [(pictures[rows], labels[rows]) for rows in digits.shards(labels, CLIENTS, skew=1.0)]


def craft(model, attack):
    """What the attackers send. They know the others' data: they train on all honest shares, see what the honest clients
    will send, and agree on updates that do most harm. A model that is not finite any more has had its harm."""
    if not all(np.isfinite(array).all() for array in model.values()):
        return [model] * len(ATTACKERS)
    honest = [digits.train(model, *share)[0] for i, share in enumerate(_shares()) if i not in ATTACKERS]
    steps = [{name: new[name] - model[name] for name in model} for new in honest]
    crafted = bezoar.attack_updates(steps, attack, len(ATTACKERS), **ATTACKS[attack])
    return [{name: model[name] + own[name] for name in model} for own in crafted]


@functools.lru_cache(maxsize=1)
def _agreed(attack, names, *raw):
    """The same for all attackers of a round: crafted once where one process plays several."""
    return craft({name: array.numpy() for name, array in zip(names, (Array(*fields) for fields in raw))}, attack)


client_app = ClientApp()


@client_app.train()
def _train(message, context):
    me = context.node_config["partition-id"]
    attack = message.content["config"]["attack"]
    model = {name: array.numpy() for name, array in message.content["arrays"].items()}
    pictures, labels = _shares()[me]
    with np.errstate(all="ignore"):
        new, loss = digits.train(model, pictures, labels)
        if attack != "none" and me in ATTACKERS:
            raw = ((a.dtype, tuple(a.shape), a.stype, a.data) for a in message.content["arrays"].values())
            new = _agreed(attack, tuple(model), *raw)[ATTACKERS.index(me)]
    metrics = MetricRecord({"loss": loss, "num-examples": len(labels)})
    arrays = ArrayRecord({name: Array(array) for name, array in new.items()})
    return Message(RecordDict({"arrays": arrays, "metrics": metrics}), reply_to=message)


def simulate(runs):
    """runs: by name, an attack (or "none"), a strategy and a number of rounds. Returns each one's accuracy after 0, 1, …
    rounds and the strategy's Result, by name. One simulation serves all: starting one takes longer than a run."""
    from flwr.simulation import run_simulation  # needs flwr[simulation]

    _, _, pictures, labels = digits.load()
    results = {}
    server_app = ServerApp()

    def accuracy(number, arrays):
        with np.errstate(all="ignore"):
            right = digits.accuracy({name: array.numpy() for name, array in arrays.items()}, pictures, labels)
        return MetricRecord({"accuracy": right})

    @server_app.main()
    def _main(grid, context):
        first = {name: Array(array) for name, array in digits.new_model().items()}
        for name, (attack, strategy, rounds) in runs.items():
            result = strategy.start(grid, ArrayRecord(dict(first)), num_rounds=rounds, evaluate_fn=accuracy,
                                    train_config=ConfigRecord({"attack": attack}))
            curve = [record["accuracy"] for _, record in sorted(result.evaluate_metrics_serverapp.items())]
            results[name] = (curve, result)

    quiet = {"logging_level": "ERROR", "log_to_driver": False, "include_dashboard": False}
    run_simulation(server_app, client_app, num_supernodes=CLIENTS,
                   backend_config={"init_args": quiet, "client_resources": {"num_cpus": 1, "num_gpus": 0.0}})
    return results
