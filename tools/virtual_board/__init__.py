"""A board in software: real MicroPython, a flash file system, deep sleep, and a serial REPL."""
