"""AUC, pAUC and their intervals, and the official CSV files."""
