"""Chapter 01: Inception-v3, feature extractors, and why distances are measured in features."""
