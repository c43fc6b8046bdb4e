"""Stress tests: kill processes, fill the disk, feed damaged files; see scripts/torture."""
