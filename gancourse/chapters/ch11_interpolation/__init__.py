"""Chapter 11: interpolation and perceptual path length."""
