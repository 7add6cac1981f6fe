"""What is a node's own: the sensors in its folder, rules, fences. Loaded only where there are any.

``sensors/NAME.py`` beside ``main.py`` is read at each sample, without being named anywhere;
docs/own-node.md says what it holds. Sections ``rules``, ``fences`` and ``dead_bands`` of
config.json say when a value is worth a record, or a report at once.
"""
