"""The folder of the local CA, as a quick start reads it: its files, and whether they still serve.

No cryptography in here: a start that finds everything fresh mustn't pay for its import.
"""

import hashlib
import json
import os
import ssl
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from fakerelay.errors import ConfigError

RENEW_BEFORE_SECONDS = 60 * 86400


class LeafHeader(NamedTuple):
    """The first line of `leaf.pem`, in JSON: what is worth knowing of the rest without parsing it.

    Times are in seconds since 1970; `ca` and `pem` are the digests of `ca.pem` and of the rest.
    """

    names: list[str]
    valid_from: float
    valid_until: float
    ca: str
    pem: str


class CaFolder:
    """The paths of one CA's files, absolute, and what can be told from a look at them."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.ca = self.path / "ca.pem"
        self.ca_key = self.path / "ca-key.pem"
        self.leaf = self.path / "leaf.pem"
        self.bundle = self.path / "ca-bundle.pem"
        self.truststore = self.path / "truststore.p12"
        self.lock = self.path / ".lock"

    def is_fresh(self, names: Iterable[str], now: float) -> bool:
        """Whether nothing has to be made, for a good while, to serve these names."""
        soon = now + RENEW_BEFORE_SECONDS
        return (
            self.is_usable(names, now)
            and self.is_usable(names, soon)
            and not self._is_trust_old(now)
        )

    def is_usable(self, names: Iterable[str], at: float) -> bool:
        """Whether clients that trust what there is accept the leaf, at that time, as all these."""
        leaf = self.read_leaf()
        return (
            leaf is not None
            and leaf.valid_from <= at < leaf.valid_until
            and {*names} <= {*leaf.names}
            and self.bundle.exists()
            and self.truststore.exists()
        )

    def read_leaf(self) -> LeafHeader | None:
        """What the leaf says of itself, unless it is missing, damaged, or of another CA."""
        try:
            header, _, pem = self.leaf.read_bytes().partition(b"\n")
            leaf = LeafHeader(**json.loads(header))
            digests = (digest(self.ca.read_bytes()), digest(pem))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return leaf if (leaf.ca, leaf.pem) == digests else None

    def _is_trust_old(self, now: float) -> bool:
        oldest = min(path.stat().st_mtime for path in (self.bundle, self.truststore))
        # Roots dated in the future would never be older than what is made of them.
        return any(oldest < path.stat().st_mtime <= now for path in self.system_roots())

    def system_roots(self) -> list[Path]:
        """The file and the folder of the system's roots, as far as they exist.

        `SSL_CERT_FILE` counts, but not where the user pointed it at our own bundle.
        """
        paths = ssl.get_default_verify_paths()
        cafile = paths.cafile
        if cafile and Path(cafile).absolute().parent == self.path:
            cafile = paths.openssl_cafile
        return [Path(path) for path in (cafile, paths.capath) if path and Path(path).exists()]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def default_ca_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Where the CA lives unless the user says otherwise: one for all projects of a user."""
    environ = os.environ if environ is None else environ
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_DATA_HOME"
    data = Path(environ.get(variable, ""))
    try:
        parent = data if data.is_absolute() else Path.home() / ".local" / "share"
    except RuntimeError as error:
        raise ConfigError("No home folder to keep the CA in; choose one with --ca-dir") from error
    return parent / "fakerelay"
