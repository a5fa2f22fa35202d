"""What can be wrong with a request besides its token (`contract.md` sections 1 to 3 and 5)."""

from collections.abc import Mapping
from typing import Final

from fakerelay.contract.flaws.fields import list_field_flaws
from fakerelay.contract.flaws.mixing import list_mixing_flaws
from fakerelay.contract.flaws.orders import list_orders
from fakerelay.contract.flaws.rows import Flaw as Flaw
from fakerelay.contract.flaws.stops import list_stop_flaws
from fakerelay.contract.flaws.transport import list_transport_flaws

FLAWS: Final[Mapping[str, Flaw]] = {
    **dict(list_field_flaws()),
    **dict(list_mixing_flaws()),
    **dict(list_stop_flaws()),
    **dict(list_transport_flaws()),
}
"""{name: what it breaks, and how}; each breaks one rule, and nothing else is wrong with it."""

ORDERS: Final[Mapping[str, Flaw]] = dict(list_orders(FLAWS))
"""Several of them at once: the first, in the order of the checks, is answered."""


def find_flaw(name: str) -> Flaw:
    """One of either table. Raises KeyError."""
    return ORDERS[name] if name in ORDERS else FLAWS[name]
