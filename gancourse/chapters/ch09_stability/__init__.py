"""Chapter 09: What made GANs better."""
