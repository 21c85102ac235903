"""``twistd chat``: twistd reads this file to learn of the server, and loads the server only to run it."""

from twisted.application.service import ServiceMaker

chat = ServiceMaker("Console Chat", "server.service", "A chat for many people in terminals.", "chat")
