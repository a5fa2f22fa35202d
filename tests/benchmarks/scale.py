"""CPU of `service.apply` and memory of a task, with few tasks running and with very many.

The worlds stand side by side in one process and are called in alternating blocks, so that what
slows the machine slows all of them.
"""

import asyncio
import gc
import json
import statistics
import time
import tracemalloc
from collections.abc import Callable

from fakerelay.clock import WorldClock
from fakerelay.core.commands import Command, StartPush, StopPush
from fakerelay.core.requests import read_start
from fakerelay.core.rules import Accepted
from fakerelay.profiles import open_profile
from fakerelay.server import tune_process
from fakerelay.service import Service
from fakerelay.stores.memory import MemoryStore

SIZES = (1_000, 100_000, 1_000_000)
BLOCK = 2_000
ROUNDS = 15
PROFILE = open_profile("default", {"concurrent_pushes": 0, "mixed_tasks_per_room": 0})
APPID = 1234


def main() -> None:
    tune_process()  # as `serve` does, before there are tasks
    tracemalloc.start()
    services = []
    for size in SIZES:
        before = tracemalloc.get_traced_memory()[0]
        services.append(asyncio.run(fill(size)))
        used = tracemalloc.get_traced_memory()[0] - before
        print(f"{size:>9,} tasks: {used / size / 1024:.2f} KB a task")
    tracemalloc.stop()
    report_cpu(services)


async def fill(size: int) -> Service:
    """A service with so many mixed tasks, each read from a body of its own as over HTTP."""
    service = Service(MemoryStore(), WorldClock(), PROFILE, lambda events, at, profile: None)
    for number in range(size):
        outcome = await service.apply(make_start(number, "live"))
        assert isinstance(outcome.decision, Accepted)
    return service


def make_start(number: int, stage: str) -> StartPush:
    body = json.dumps(
        {
            "appid": APPID,
            "roomid": f"room-{number // 4}",
            "rtmpurl": f"rtmp://cdn.example.com/{stage}/stream-{number}?key=abcdef",
            "streamtype": 1,
            "taskid": f"task-{number}",
            "mixconfig": {"templateid": 2, "output": {"width": 1280, "height": 720, "fps": 24}},
        }
    )
    command = read_start(json.loads(body), APPID, f"trace-{number}", PROFILE)
    assert isinstance(command, StartPush)
    return command


def report_cpu(services: list[Service]) -> None:
    gc.collect()
    for name, make_commands in KINDS.items():
        commands = [make_commands(size) for size in SIZES]
        blocks: list[list[float]] = [[] for _ in SIZES]
        for _ in range(ROUNDS):
            for service, wanted, spent in zip(services, commands, blocks, strict=True):
                spent.append(asyncio.run(measure(service, wanted)))
        for size, spent in zip(SIZES, blocks, strict=True):
            few = statistics.median(many / few for few, many in zip(blocks[0], spent, strict=True))
            micro = statistics.median(spent) / BLOCK * 1e6
            print(f"{name}, {size:>9,} tasks: {micro:.1f} us CPU, {few:.2f} of {SIZES[0]:,}'s")


def make_few_updates(size: int) -> list[Command]:
    """The tasks that are busy now change their addresses; all others just run."""
    return [make_start(number % 100, stage) for stage in STAGES for number in range(BLOCK // 4)]


def make_spread_updates(size: int) -> list[Command]:
    """Tasks all over the world, each left alone for long: the processor's caches hold none."""
    step = size // 1_000
    return [make_start(number * step % size, stage) for stage in STAGES for number in range(500)]


def make_comings_and_goings(size: int) -> list[Command]:
    commands: list[Command] = []
    for number in range(size, size + BLOCK // 2):
        start = make_start(number, "new")
        commands += [start, StopPush(start.key, start.room_id, None, start.trace_id)]
    return commands


STAGES = ("a", "b", "c", "d")
KINDS: dict[str, Callable[[int], list[Command]]] = {
    "start and stop": make_comings_and_goings,
    "update, few tasks": make_few_updates,
    "update, spread": make_spread_updates,
}


async def measure(service: Service, commands: list[Command]) -> float:
    began = time.process_time()
    for command in commands:
        await service.apply(command)
    return time.process_time() - began


if __name__ == "__main__":
    main()
