"""The functions of the public API: the stages, all of them at once, and own data sets; no torch."""
