"""A live view of nodes, in the terminal and as a web page."""
