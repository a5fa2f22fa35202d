"""Names nobody else has: a prefix of one's own and a count."""

import random
import secrets

from fakerelay.ports import MadeIds


class CountedIds:
    """Unique as long as its prefix is; a counter costs far less than chance for every id."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._messages = 0
        self._traces = 0

    @property
    def made(self) -> MadeIds | None:
        """Nothing that another source could go on from."""
        return None

    def message_id(self) -> str:
        self._messages += 1
        return f"{self._prefix}-m{self._messages}"

    def trace_id(self) -> str:
        self._traces += 1
        return f"{self._prefix}-t{self._traces}"

    def resume(self, made: MadeIds) -> None:
        """Go on as ever: what this source makes up is nobody else's."""


class RandomIds(CountedIds):
    """Unique across processes and machines."""

    def __init__(self) -> None:
        super().__init__(secrets.token_hex(8))


class SeededIds(CountedIds):
    """The same ids in the same order for the same seed."""

    def __init__(self, seed: int | str) -> None:
        super().__init__(f"{random.Random(seed).getrandbits(64):016x}")

    @property
    def made(self) -> MadeIds:
        return MadeIds(self._messages, self._traces)

    def resume(self, made: MadeIds) -> None:
        self._messages, self._traces = made
