"""What the shipped arithmetic costs: scores three ways, their agreement, and the ranges they need."""
