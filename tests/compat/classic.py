"""What experiments, runs, metrics, params, tags, batches and searches do, asked through MLflow's own client.

It needs nothing but `mlflow`, of whichever version is installed, and the address of a server:

    python -m tests.compat.classic http://127.0.0.1:5000

Every check makes experiments of its own, so they can run in any order against one server.
"""

import sys
from collections.abc import Callable

from tests.compat import classic_fluent, classic_life, classic_searches
from tests.compat.classic_bench import Bench

CHECKS: tuple[Callable[[Bench], None], ...] = tuple(
    check
    for module in (classic_life, classic_searches, classic_fluent)
    for name, check in vars(module).items()
    if name.startswith("check_")
)


def main(url: str) -> int:
    """Run every check, print those that fail, and return their number."""
    bench, failed = Bench(url), 0
    for check in CHECKS:
        try:
            check(bench)
        except Exception as error:
            failed += 1
            print(f"{check.__name__}: {type(error).__name__}: {error}")
    print(f"{len(CHECKS)} checks, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) and 1)
