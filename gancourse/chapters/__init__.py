"""The content, a room a chapter: its exercises, its pictures and its demo, and one file that keeps what was measured for them."""
