"""Networks by family, and what finds, loads and samples them."""
