"""What an earlier life left in the module: states as data, against every feature."""
