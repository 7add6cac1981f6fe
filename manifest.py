# ruff: noqa: F821 -- these functions are given by MicroPython's build (manifestfile.py)
# Freezes driver and firmware into a build of MicroPython; config.json stays on the file system.
#
#   make -C ports/esp32 BOARD=ESP32_GENERIC FROZEN_MANIFEST=<here>/manifest.py
#   make -C ports/stm32 BOARD=PYBD_SF2 FROZEN_MANIFEST=<here>/manifest.py
#
# Modules of the same name on the file system come before frozen ones, so an update may still be
# deployed; but for boot.py and main.py, whose frozen ones win.

include("$(PORT_DIR)/boards/manifest.py")
package("c1100", base_path="lib")
package("firmware")
module("boot.py")
module("main.py")
