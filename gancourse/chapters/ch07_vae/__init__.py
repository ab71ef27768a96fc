"""Chapter 07: Variational autoencoders and the ELBO."""
