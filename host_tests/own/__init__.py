"""A node's own folder: made, run in software, deployed."""
