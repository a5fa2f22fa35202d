"""Rules of the book that no call of the kit is for, and why."""

from collections.abc import Mapping
from typing import Final

_IN_PARTS: Final = "it is judged by its parts, each a rule of its own"
_PICTURES: Final = "no answer shows what a mixed stream looks or sounds like"
_PUSHES: Final = "what becomes of a push at its CDN is nothing that calls bring about"
_CONSOLE: Final = "no call makes or revokes a certificate"
_PACE: Final = "calls keep below the profile's rate_limit_per_second, and no answer said less"

ABSTENTIONS: Final[Mapping[str, str]] = {
    "https-only": "a server on this machine may be asked over plain HTTP, too",
    "hosts": "it says where the vendor's own service is",
    "content-type-header": "every call bears it; what is so of others is only assumed",
    "certificate-active": _CONSOLE,
    "certificates-per-account": _CONSOLE,
    "refusal-changes-nothing": "rejected-claims-nothing is what shows of it",
    "startrtmp-fields": _IN_PARTS,
    "documented-fields-refused": _IN_PARTS,
    "taskid-style": "names of tasks are of the style that the profile has",
    "template-horizontal": _PICTURES,
    "template-vertical": _PICTURES,
    "template-tiled": _PICTURES,
    "template-corner": _PICTURES,
    "output-audio": _PICTURES,
    "task-identity": _IN_PARTS,
    "release-at-once": "stop-frees-addresses is what shows of it",
    "release-to-same-task": "what a task held is waited for, where the profile keeps it",
    "rate-limit": _PACE,
    "rate-limit-order": _PACE,
    "rate-limit-counts": _PACE,
    "accepted-sense": "all other rules take it for granted; it breaks where no answer has its form",
    "injected-fault": "it is about faults that somebody asks a fake for",
    "push-connecting": _PUSHES,
    "push-fails": _PUSHES,
    "push-retries": _PUSHES,
    "push-stop-after-failures": _PUSHES,
    "push-user-left": _PUSHES,
}
"""{rule: why it is skipped, unless something compares or breaks it all the same}."""
