"""The baselines' networks in Keras, and what their training needs to know."""
