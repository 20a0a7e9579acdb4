"""A Flower simulation: 20 clients train on real digits, 4 of them attack. FedAvg collapses, Bezoar holds."""
import logging

import flwr.serverapp.strategy as strategies
import pytest

from bezoar.examples import flower_digits
from bezoar.flower import robust


@pytest.fixture(scope="module")
def accuracies(tmp_path_factory):
    logging.disable(logging.WARNING)  # a line for every step of every round
    fedavg = lambda: strategies.FedAvg(fraction_evaluate=0.0)
    guard = lambda: robust(fedavg(), "dnc", f=4)
    runs = {("none", "FedAvg"): ("none", fedavg(), 10)}
    for attack, rounds in (("alie", 3), ("min-max", 5), ("nan", 1)):  # until the harm is done
        runs[attack, "FedAvg"] = (attack, fedavg(), rounds)
        runs[attack, "Bezoar"] = (attack, guard(), 10)
    results = flower_digits.simulate(runs)
    logging.disable(logging.NOTSET)
    assert results.keys() == runs.keys()
    for name, (curve, _) in results.items():
        print(*name, *(f"{value:.2f}" for value in curve))
    return results


def test_without_attackers_it_learns(accuracies):
    assert accuracies["none", "FedAvg"][0][-1] > 0.75


@pytest.mark.parametrize("attack", ["alie", "min-max", "nan"])
def test_fedavg_collapses_and_bezoar_holds(accuracies, attack):
    quiet = accuracies["none", "FedAvg"][0]
    fallen, held = (accuracies[attack, name][0] for name in ("FedAvg", "Bezoar"))
    assert fallen[-1] < 0.35 and fallen[-1] < quiet[len(fallen) - 1] - 0.1
    assert held[-1] > quiet[-1] - 0.06


@pytest.mark.parametrize("attack", ["alie", "min-max", "nan"])
def test_the_attackers_are_named(accuracies, attack):
    """Four are dropped in each round; for good measure the metrics say so for every round."""
    metrics = accuracies[attack, "Bezoar"][1].train_metrics_clientapp
    assert sorted(metrics) == list(range(1, 11))
    assert all(record["bezoar-dropped"] >= 4 and record["bezoar-failed"] == 0 for record in metrics.values())
