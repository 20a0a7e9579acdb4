"""Examples to run: `python -m bezoar.examples.flower_demo`."""
