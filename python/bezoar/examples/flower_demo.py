"""Attack and defence in federated learning, shown: `python -m bezoar.examples.flower_demo [--plot FILE] [--rounds N]`.

Twenty clients train a network on real handwritten digits in a Flower simulation; four of them attack. The same with
Flower's FedAvg and with FedAvg under bezoar.flower.robust. Needs `pip install "bezoar[demo]"`; takes about a minute.
"""

import argparse
import logging
import time

COLORS = {"alie": "tab:orange", "min-max": "tab:red", "nan": "tab:purple"}
WIDTH, HEIGHT = 60, 15
SAYS = {
    "alie": "a little is enough: all four a few standard deviations off, in every number",
    "min-max": "as far against the others' direction as hides among their distances",
    "nan": "not a number",
}


def runs(rule, f, rounds):
    """The runs of the demo by name: without attack, and each attack against FedAvg and against the guarded FedAvg."""
    from flwr.serverapp.strategy import FedAvg

    from bezoar.examples.flower_digits import ATTACKS
    from bezoar.flower import robust

    out = {("none", "FedAvg"): ("none", FedAvg(fraction_evaluate=0.0), rounds)}
    for attack in ATTACKS:
        out[attack, "FedAvg"] = (attack, FedAvg(fraction_evaluate=0.0), rounds)
        out[attack, "Bezoar"] = (attack, robust(FedAvg(fraction_evaluate=0.0), rule, f=f), rounds)
    return out


def canvas(curves):
    """Curves as text: by mark, the accuracies after 0, 1, … rounds."""
    grid = [[" "] * WIDTH for _ in range(HEIGHT + 1)]
    for mark, curve in curves.items():
        for x in range(WIDTH):
            at = x * (len(curve) - 1) / (WIDTH - 1)
            low = min(int(at), len(curve) - 2)
            value = curve[low] + (at - low) * (curve[low + 1] - curve[low])
            grid[HEIGHT - round(value * HEIGHT)][x] = mark
    scale = {0: "100 % ", HEIGHT // 2: " 50 % ", HEIGHT: "  0 % "}
    lines = [scale.get(i, "      ") + "│" + "".join(row).rstrip() for i, row in enumerate(grid)]
    return "\n".join([*lines, "      └" + "─" * WIDTH])


def dropped(strategy):
    """Whom a guarded strategy dropped in its last round, as "4 not-finite"."""
    reasons = [row["reason"] for row in strategy.bezoar.round.rows if not row["kept"]]
    return ", ".join(f"{reasons.count(reason)} {reason}" for reason in sorted(set(reasons))) or "nobody"


def tell(curves, verdicts):
    """The text of the demo. curves, verdicts: by attack and strategy."""
    quiet = curves["none", "FedAvg"]
    print(f"\nAccuracy on held-back digits, by round (nobody attacks: {quiet[-1]:.0%} in the end)")
    for attack, text in SAYS.items():
        fallen, held = curves[attack, "FedAvg"], curves[attack, "Bezoar"]
        print(f"\n{attack}: {text}\n")
        print(canvas({".": quiet, "x": fallen, "o": held}))
        print(f"       . nobody attacks {quiet[-1]:.0%}   x FedAvg {fallen[-1]:.0%}   o Bezoar {held[-1]:.0%}")
        print(f"       dropped by Bezoar in the last round: {verdicts[attack]}")


def draw(curves, path):
    """The same as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    _, axes = pyplot.subplots(1, len(SAYS), figsize=(4 * len(SAYS), 3.6), sharey=True)
    for axis, attack in zip(axes, SAYS):
        axis.plot(curves["none", "FedAvg"], color="0.6", label="FedAvg, nobody attacks")
        axis.plot(curves[attack, "FedAvg"], color=COLORS[attack], linestyle="--", label="FedAvg, attacked")
        axis.plot(curves[attack, "Bezoar"], color="tab:blue", label="Bezoar, attacked")
        axis.set(title=f"{attack}: 4 of 20 clients attack", xlabel="round", ylim=(0, 1))
        axis.legend(fontsize="small", loc="upper left")
    axes[0].set_ylabel("accuracy")
    pyplot.tight_layout()
    pyplot.savefig(path, dpi=120)
    pyplot.close()


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m bezoar.examples.flower_demo", description=__doc__.splitlines()[0])
    parser.add_argument("--plot", default="flower_demo.png", help="where the picture goes (flower_demo.png)")
    parser.add_argument("--rule", default="dnc", help="aggregation rule (dnc); `bezoar list aggregators` shows all")
    parser.add_argument("--f", type=int, default=4, help="how many attackers the rule expects (4)")
    parser.add_argument("--rounds", type=int, default=10, help="rounds of training (10)")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    logging.disable(logging.WARNING)  # Flower tells every step, and sets its own level again
    try:
        plan = runs(options.rule, options.f, options.rounds)
        from bezoar.examples.flower_digits import ATTACKERS, CLIENTS, simulate
        import matplotlib  # noqa: F401  before the work, not after it
        import ray  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        parser.exit(2, f'{error}\nThe demo needs: pip install "bezoar[demo]"\n')
    print(f"{CLIENTS} clients, {len(ATTACKERS)} of them attackers; rule {options.rule}, f = {options.f}; "
          f"{len(plan)} runs of {options.rounds} rounds in a Flower simulation …", flush=True)
    start = time.monotonic()
    results = simulate(plan)
    curves = {name: curve for name, (curve, _) in results.items()}
    verdicts = {attack: dropped(strategy) for (attack, name), (_, strategy, _) in plan.items() if name == "Bezoar"}
    tell(curves, verdicts)
    draw(curves, options.plot)
    print(f"\npicture: {options.plot}   ({time.monotonic() - start:.0f} s)")


if __name__ == "__main__":
    main()
