"""What one scenario is."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from fakerelay.contract.operations import Kind, Move

KINDS: Final[tuple[Kind, Kind]] = ("source", "mixed")
OTHERS: Final[dict[Kind, Kind]] = {"source": "mixed", "mixed": "source"}
CUSTOM: Final = "custom layout"
"""The style of a mixed task without a template."""
MOST_FILLED: Final = 32
"""The largest quota that is filled."""


class Scenario(NamedTuple):
    """What is to be done, one move after the other, beginning with nothing that runs."""

    name: str
    operations: Sequence[Move]
