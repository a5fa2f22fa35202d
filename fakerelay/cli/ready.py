"""What a running server tells other programs (the ready file) and people (the banner)."""

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fakerelay.client import make_token
from fakerelay.config import AppConfig
from fakerelay.core.addresses import mask_address
from fakerelay.errors import ConfigError
from fakerelay.server import Server

_EXAMPLE_ADDRESS = "rtmp://cdn.example.com/live/stream1"


def describe(server: Server) -> dict[str, Any]:
    """The JSON of the ready file; null where there is no such thing."""
    files = {name: str(path) if path else None for name, path in _trust_files(server).items()}
    return {
        "url": server.url,
        "http_url": server.http_url,
        "control_url": server.control_url,
        **files,
        "pid": os.getpid(),
        "apps": [
            {
                "appid": app.appid,
                "certificate_id": app.certificate_id,
                "certificate_key": app.certificate_key,
                "callback_url": app.callback_url,
            }
            for app in server.apps
        ],
    }


def write_ready_file(path: Path, mode: int, fields: Mapping[str, Any]) -> None:
    """Put the file there as a whole. Raises ConfigError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(_render_ready(fields))
            temporary.chmod(mode)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path, error) from error


def remove_ready_file(path: Path, fields: Mapping[str, Any]) -> None:
    """So that nobody takes a server that is gone for a ready one; another server's is let be."""
    try:
        is_ours = path.read_text(encoding="utf-8") == _render_ready(fields)
    except (OSError, UnicodeDecodeError):
        return
    try:
        if is_ours:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _render_ready(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, indent=2) + "\n"


def render_banner(server: Server) -> str:
    """What listens where, and a first call to paste."""
    kind = "https" if server.url.startswith("https:") else "plain http"
    rows = [(f"vendor API ({kind})", server.url)]
    if server.http_url and server.http_url != server.url:
        rows.append(("vendor API (plain http)", server.http_url))
    if server.control_url:
        rows.append(("control plane", server.control_url))
    if server.tls_files.ca_file:
        rows.append(("CA to trust", str(server.tls_files.ca_file)))
    for app in server.apps:
        to = (
            f", callbacks to {mask_address(app.callback_url)}"
            if app.callback_url
            else ", no callback URL"
        )
        rows.append((f"app {app.appid}", f"certificate {app.certificate_id}{to}"))
    lines = ["fakerelay is up", *(f"  {label:<24} {value}" for label, value in rows)]
    if server.apps:
        lines += ["", "Start a relay:", f"  {render_curl(server, server.apps[0])}"]
    return "\n".join(lines)


def render_listening(server: Server) -> str:
    """The same for programs that read the log; without credentials, so without a call."""
    fields = describe(server)
    fields["apps"] = [app["appid"] for app in fields["apps"]]
    return json.dumps({"event": "listening", **fields})


def render_curl(server: Server, app: AppConfig) -> str:
    """A `startrtmp` that a shell takes as it is."""
    body = {
        "appid": app.appid,
        "roomid": next(iter(app.live_rooms), "room1"),
        "rtmpurl": _EXAMPLE_ADDRESS,
        "streamtype": 2,
        "uid": "user1",
    }
    path = f"/app/{app.appid}/v2/rtmpforward/startrtmp?traceId=first-call"
    token = make_token(app.certificate_id, app.certificate_key)
    command = ["curl", *_trust_options(server), "-H", f"token: {token}"]
    command += ["-H", "Content-Type: application/json;charset=utf-8"]
    return shlex.join([*command, "-d", json.dumps(body), server.url + path])


def _trust_options(server: Server) -> list[str]:
    if not server.url.startswith("https:"):
        return []
    ca_file = server.tls_files.ca_file
    # A certificate of the user's own is for names of theirs, not for the address in our URL.
    return ["--cacert", str(ca_file)] if ca_file else ["--insecure"]


def _trust_files(server: Server) -> dict[str, Path | None]:
    return server.tls_files._asdict()


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"Can't write the ready file {str(path)!r}: {error.strerror or error};"
        " choose another with --ready-file"
    )
