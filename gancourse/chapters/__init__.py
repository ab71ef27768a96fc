"""The content, a room a chapter: its exercises, its pictures and its demo, and nothing else."""
