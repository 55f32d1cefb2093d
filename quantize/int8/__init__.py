"""From a float model to an int8 one: graph, ranges, representative windows, rounding, and the methods made of them."""
