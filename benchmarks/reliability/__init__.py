"""What must hold whatever happens on the way: kills, outages, late and hostile data; each a program that can fail."""
