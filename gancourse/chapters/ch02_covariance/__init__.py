"""Chapter 02: variance, covariance and the multivariate normal."""
