"""Chapter 04: entropy, KL divergence and the Inception Score."""
