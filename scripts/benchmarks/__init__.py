"""What scripts/benchmark measures and how it writes it down; all on the CPU."""
