"""Tortures: killing, filling the disk, feeding nonsense; see scripts/torture."""
