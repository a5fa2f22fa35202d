"""A client of the vendor API that any loop may call."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from fakerelay.client import RelayClient, RelayUnreachable, Reply
from fakerelay.errors import FakerelayError
from fakerelay.hosts.errands import WAS_CLOSED, Errands


class HostedClient(RelayClient):
    """A client that lives in a host's loop, so that any loop may call it; its first call opens it.

    It ends with the relay, or else with the host.
    """

    def __init__(
        self,
        host: Errands,
        url: str,
        appid: int,
        certificate_id: str,
        certificate_key: str,
        *,
        ca_file: Path | None,
    ) -> None:
        super().__init__(url, appid, certificate_id, certificate_key)
        self._host = host
        self._ca_file = ca_file
        self._has_ended = False
        host.clients.add(self)

    async def __aenter__(self) -> Self:
        return self

    async def close(self) -> None:
        """Close the connections; the next call opens others."""
        if self._session is not None:
            await self._host.arun(super().close())

    async def end(self) -> None:
        """Close them for good, in the host's loop; calls are refused from now on."""
        self._has_ended = True
        self._host.clients.discard(self)
        await super().close()

    async def call(
        self, operation: str, body: Mapping[str, Any], *, trace_id: str | None = None
    ) -> Reply:
        return await self._host.arun(self._call(operation, body, trace_id))

    async def _call(self, operation: str, body: Mapping[str, Any], trace_id: str | None) -> Reply:
        if self._has_ended:
            raise FakerelayError(WAS_CLOSED)
        if self._session is None:
            if self._ca_file is not None:
                self._ssl_context = ssl.create_default_context(cafile=self._ca_file)
            await super().__aenter__()
        try:
            return await super().call(operation, body, trace_id=trace_id)
        except RelayUnreachable:
            if self._has_ended:
                raise FakerelayError(WAS_CLOSED) from None
            raise
