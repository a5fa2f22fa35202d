"""Where worlds are kept; `open_store` picks by URL."""

from fakerelay.errors import ConfigError
from fakerelay.ports import Store
from fakerelay.stores.memory import MemoryStore


def open_store(url: str = "memory:") -> Store:
    """A store for one world. Raises `ConfigError` for a URL no store answers to."""
    if url == "memory:":
        return MemoryStore()
    raise ConfigError(f"Unknown state URL {url!r}: this version keeps state in 'memory:' only")
