"""Where tests receive callbacks: one port for all, an inbox for each world, and what came there.

It knows nothing of the servers that post to it.
"""

from fakerelay.inboxes.callbacks import Callbacks
from fakerelay.inboxes.received import Received
from fakerelay.inboxes.receivers import Inbox, Receiver

__all__ = ["Callbacks", "Inbox", "Received", "Receiver"]
