"""Chapter 12: which generator would you ship?"""
