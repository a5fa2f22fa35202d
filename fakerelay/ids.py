"""Names nobody else has: a prefix of one's own and a count."""

import random
import secrets
from itertools import count


class CountedIds:
    """Unique as long as its prefix is; a counter costs far less than chance for every id."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._messages = count(1)
        self._traces = count(1)

    def message_id(self) -> str:
        return f"{self._prefix}-m{next(self._messages)}"

    def trace_id(self) -> str:
        return f"{self._prefix}-t{next(self._traces)}"


class RandomIds(CountedIds):
    """Unique across processes and machines."""

    def __init__(self) -> None:
        super().__init__(secrets.token_hex(8))


class SeededIds(CountedIds):
    """The same ids in the same order for the same seed."""

    def __init__(self, seed: int | str) -> None:
        super().__init__(f"{random.Random(seed).getrandbits(64):016x}")
