"""The servers that are measured side by side."""

from bench.peers.brokers import Nats, Redis
from bench.peers.chat import ChatOnMariaDB, ConsoleChat, Naive
from bench.peers.irc import InspIrcd, NgIrcd
from bench.peers.process import Missing, Served

ALL: tuple[type[Served], ...] = (ConsoleChat, Naive, Redis, Nats, NgIrcd, InspIrcd)

__all__ = ["ALL", "ChatOnMariaDB", "ConsoleChat", "InspIrcd", "Missing", "Naive", "Nats", "NgIrcd", "Redis", "Served"]
