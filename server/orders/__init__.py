"""What may be ordered with ``run``: each order carries its usage, its help and who may run it."""

from server.orders.deleting import take_delete
from server.orders.running import take_run

__all__ = ["take_delete", "take_run"]
