"""Kills, cuts, stalls, full disks: whatever happens, what was acknowledged is there once, and seen once by each.

A few seconds of each belong to ``make test``; ``make torture`` runs them for long. SEED in the environment repeats the
choices of a run, KILLS and DB_KILLS say how often a server and a database are killed.
"""
