"""Every seeded fault by its name: which one rule it breaks, and from which level on that shows."""

from collections.abc import Mapping
from typing import Final

from tests.mutants.faults import addresses, callbacks, fields, replies, tasks, tokens
from tests.mutants.faults.rows import Fault as Fault

FAULTS: Final[Mapping[str, Fault]] = (
    tokens.FAULTS | fields.FAULTS | addresses.FAULTS | tasks.FAULTS | replies.FAULTS
) | callbacks.FAULTS
