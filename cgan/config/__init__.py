"""What a run is: frozen dataclasses that check themselves, and recipes, which are rows of them."""
