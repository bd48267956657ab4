"""Is it getting better? Trends of one wearer, from what was seen of them."""
