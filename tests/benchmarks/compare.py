"""The relay of another checkout and this one in turn: `python -m tests.benchmarks.compare PATH`.

What a change costs a call, by CPU, with no fault configured; PATH is a checkout of before.
"""

import statistics
import sys
from pathlib import Path

from tests.benchmarks.throughput import Served

HERE = Path(__file__).parent.parent.parent
MODES = ("same", "changing", "stopping")


def main(before: str, blocks: int = 30) -> None:
    if not (Path(before) / "fakerelay").is_dir():
        raise SystemExit(f"{before!r} is no checkout of fakerelay: it has no folder 'fakerelay'")
    for mode in MODES:
        served = [Served("relay.py", checkout=Path(before)), Served("relay.py", checkout=HERE)]
        try:
            print(f"{mode:9} {compare(served, mode, blocks)}")
        finally:
            for each in served:
                each.close()


def compare(served: list[Served], mode: str, blocks: int) -> str:
    for each in served:
        each.load(mode, 1)
    ratios = []
    for number in range(blocks):
        order = served if number % 2 else served[::-1]
        cpu = {each: each.load(mode, 1).cpu_seconds_per_call for each in order}
        ratios.append(cpu[served[1]] / cpu[served[0]])
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"CPU a call {middle:.3f} of before (middle half {low:.3f}-{high:.3f})"


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
