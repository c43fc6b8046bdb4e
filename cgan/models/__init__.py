"""Networks by family, and the code that finds, loads and samples them."""
