"""Training runs: fitting epoch by epoch, the folder that keeps them, and scores of a trained model."""
