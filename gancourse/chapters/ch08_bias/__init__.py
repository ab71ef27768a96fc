"""Chapter 08: Bias."""
