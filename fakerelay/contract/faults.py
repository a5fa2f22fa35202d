"""All that can be wrong with a request, by name: what the model has to know of it."""

from collections.abc import Mapping
from typing import Final

from fakerelay.contract.credentials import CREDENTIALS
from fakerelay.contract.flaws import FLAWS, ORDERS
from fakerelay.contract.model import Fault

FAULTS: Final[Mapping[str, Fault]] = {
    **{name: credential.fault for name, credential in CREDENTIALS.items()},
    **{name: flaw.fault for name, flaw in {**FLAWS, **ORDERS}.items()},
}
