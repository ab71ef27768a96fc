"""Chapter 10: StyleGAN, component by component."""
