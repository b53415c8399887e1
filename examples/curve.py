"""Log a training loss of 50,000 steps with a few spikes, which its chart must all show.

python examples/curve.py                a point a call, as a training loop does it
python examples/curve.py --batches      a thousand points a request, which takes a second or two
"""

import argparse
import math
import random
import time

import minleaf as mlflow

STEPS = 50_000
SPIKES = {137: 9.0, 12_345: 7.5, 25_000: 12.0, 49_998: 6.0}


def losses(steps: int) -> list[float]:
    """A falling, noisy loss with `SPIKES` planted in it. The same at every call."""
    noise = random.Random(0)
    curve = [2.5 * math.exp(-step / 12_000) + 0.1 + 0.02 * noise.random() for step in range(steps)]
    for step, value in SPIKES.items():
        if step < steps:
            curve[step] = value
    return curve


def main() -> None:
    parser = argparse.ArgumentParser(description="Log a loss curve with spikes.")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--batches", action="store_true", help="send a thousand points a request")
    options = parser.parse_args()
    curve = losses(options.steps)
    with mlflow.start_run(run_name="curve") as run:
        mlflow.log_param("steps", options.steps)
        if options.batches:
            now = int(time.time() * 1000)
            points = [mlflow.Metric("training_loss", loss, now + step, step) for step, loss in enumerate(curve)]
            mlflow.MlflowClient().log_batch(run.info.run_id, metrics=points)
        else:
            for step, loss in enumerate(curve):
                mlflow.log_metric("training_loss", loss, step=step)


if __name__ == "__main__":
    main()
