"""The configuration of runs: frozen dataclasses that validate themselves, and recipes of them."""
