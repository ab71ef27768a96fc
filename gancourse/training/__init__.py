"""Recipes: how each shipped model was made, from a seed, resumable after any interruption."""
