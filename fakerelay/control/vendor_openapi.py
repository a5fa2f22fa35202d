"""The vendor API as an OpenAPI 3.1 document: what this server takes now, and answers."""

from collections.abc import Sequence
from typing import Any

from fakerelay.core.profile import Profile

Json = dict[str, Any]


def build_vendor_document(profile: Profile, appids: Sequence[int], urls: Sequence[str]) -> Json:
    return {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {}}
