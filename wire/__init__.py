"""What a client and the server say to each other: netstrings, frames, names, safe text. No I/O."""
