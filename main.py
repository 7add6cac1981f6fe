"""One wake of the node: firmware/app.py. A board without this file stays at its prompt."""

import gc

gc.threshold(32768)  # bytes between two collections: else code and buffers leave a heap in pieces

try:
    from firmware import app

    app.main()
except Exception as error:  # damaged code: perhaps it can be read the next time
    import sys
    import time

    import machine

    sys.print_exception(error)
    time.sleep(60)  # Ctrl-C, which mpremote sends first, ends it
    machine.deepsleep(3600000)
