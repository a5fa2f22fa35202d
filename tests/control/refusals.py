"""What a verb refuses."""

from typing import Any

import pytest

from fakerelay.errors import ControlError
from tests.control.conftest import Control


async def refuse(control: Control, verb: str, /, **parameters: Any) -> ControlError:
    with pytest.raises(ControlError) as caught:
        await control.call(verb, **parameters)
    return caught.value
