"""What strangers' files may hold, thrown at everything that reads them."""
