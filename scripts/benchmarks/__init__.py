"""The measurements of scripts/benchmark and their output; all on the CPU."""
