"""Chapter 05: Sampling and truncation, HYPE."""
