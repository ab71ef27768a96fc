"""Chapter 03: Fréchet distance and FID."""
