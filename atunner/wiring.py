"""Where objects meet."""
