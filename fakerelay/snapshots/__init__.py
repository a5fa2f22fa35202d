"""A world as versioned JSON (`schemas/snapshot.json`): saved, checked whole, restored in one step.

Neither the journal nor finished callbacks are part of it: they are history.
"""

from fakerelay.snapshots.restored import restore_world
from fakerelay.snapshots.saved import FORMAT, VERSION, render_lines, save_world

__all__ = ["FORMAT", "VERSION", "render_lines", "restore_world", "save_world"]
