"""A node's own folder: made by `new`, taken by --node."""
