# A board of the ESP32's kind needs nothing of this module in a wake.
