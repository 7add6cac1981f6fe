"""Does a real module speak as lib/c1100/dialect.py says?"""
