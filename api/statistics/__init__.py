"""Statistics of counts, proportions and paired differences. Pure: numbers in, estimates out."""
