"""Chapter 06: precision and recall for generators."""
