"""The folder of the local CA, as a quick start reads it: its files, and whether they still serve.

No cryptography in here: a start that finds everything fresh mustn't pay for its import.
"""

import hashlib
import json
import os
import ssl
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from fakerelay.errors import ConfigError

RENEW_BEFORE_SECONDS = 60 * 86400
TRUSTSTORE_PASSWORD = "changeit"


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
        return self.find_fault(names, at) is None

    def find_fault(self, names: Iterable[str], at: float) -> str | None:
        """Why the folder can't serve as all these names at that time; None: it can."""
        leaf = self.read_leaf()
        if leaf is None:
            return "leaf.pem is missing, damaged or of another CA"
        if not leaf.valid_from <= at < leaf.valid_until:
            return f"leaf.pem {_tell_validity(leaf, at)}"
        if unknown := [name for name in names if name not in leaf.names]:
            return f"leaf.pem isn't good for {', '.join(map(repr, unknown))}"
        missing = [path.name for path in (self.bundle, self.truststore) if not path.exists()]
        return f"{' and '.join(missing)} missing" if missing else None

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


def _tell_validity(leaf: LeafHeader, at: float) -> str:
    is_early = at < leaf.valid_from
    when = time.strftime("%Y-%m-%d", time.gmtime(leaf.valid_from if is_early else leaf.valid_until))
    return f"is valid from {when} only" if is_early else f"expired on {when}"


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
