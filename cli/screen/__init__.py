"""The terminal interface: :func:`cli.screen.talk.run` takes the terminal and talks."""
