"""What is kept although it has its turn, and how it is let go: at once, or in an order of its own.

What is released in an order of its own goes to the front of its lane.
"""

from collections.abc import Sequence
from itertools import pairwise

from fakerelay.delivery.lanes import Lanes
from fakerelay.delivery.notifications import Notification


class Releases:
    """`parked` has its turn but is held, or is to go after another; `successors` are found by the
    number of that one.
    """

    __slots__ = ("_lanes", "parked", "successors")

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self.parked: dict[int, Notification] = {}
        self.successors: dict[int, Notification] = {}

    def clear(self) -> None:
        self.parked.clear()
        self.successors.clear()

    def let_go(self, held: Sequence[Notification]) -> None:
        """Each goes when its turn comes."""
        for notification in held:
            notification.make_fate().is_released = True
            self.unpark(notification)

    def put_first(self, held: Sequence[Notification]) -> None:
        """In this order: past all others of their lanes, each when the last one is done."""
        for notification in held:
            self._take_out(notification)
        for notification in held:
            fate = notification.make_fate()
            fate.is_released = fate.is_spent = True
        for before, after in pairwise(held):
            after.make_fate().goes_after = before.number
            self.successors[before.number] = after
        self._lanes.move_to_front(held)
        for notification in held:
            self._give_turn(notification)

    def unpark_all(self) -> None:
        """Whatever is still to be kept is parked again when it is looked at."""
        for notification in list(self.parked.values()):
            self.unpark(notification)

    def unpark(self, notification: Notification) -> None:
        if self.parked.pop(notification.number, None) is not None:
            self._lanes.ready.append(notification)

    def let_successor_go(self, notification: Notification) -> None:
        successor = self.successors.pop(notification.number, None)
        if successor is not None:
            successor.make_fate().goes_after = None
            self.unpark(successor)

    def _give_turn(self, notification: Notification) -> None:
        if notification.number in self._lanes.waiting:
            self._lanes.end_wait(notification)
        elif notification.is_head:
            self.unpark(notification)
        else:
            notification.is_head = True
            if notification.may_go:
                self._lanes.give_turn(notification)

    def _take_out(self, notification: Notification) -> None:
        """Of an earlier order, if it was held again since: those around it close up."""
        fate = notification.make_fate()
        before, fate.goes_after = fate.goes_after, None
        successor = self.successors.pop(notification.number, None)
        if before is not None:
            del self.successors[before]
        if successor is None:
            return
        successor.make_fate().goes_after = before
        if before is not None:
            self.successors[before] = successor
        else:
            self.unpark(successor)
