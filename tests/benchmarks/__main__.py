"""All benchmarks, or those named: `python -m tests.benchmarks [throughput] [scale] ...`."""

import sys
from collections.abc import Callable

from tests.benchmarks import callbacks, coldstart, fixture, lifetime, scale, throughput

BENCHMARKS: dict[str, Callable[[], None]] = {
    "throughput": throughput.main,
    "scale": scale.main,
    "coldstart": coldstart.main,
    "callbacks": callbacks.main,
    "lifetime": lifetime.main,
    "fixture": fixture.main,
}


def main(names: list[str]) -> None:
    for name in names or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        about = sys.modules[benchmark.__module__].__doc__ or ""
        print(f"== {name}: {about.splitlines()[0]}")
        benchmark()


if __name__ == "__main__":
    main(sys.argv[1:])
