"""What is wrong with a pin or UART that a board does not take, in words. Loaded once one is.

The port's own words, such as "invalid pin", name no setting.
"""

from .. import ConfigError

ERRORS = (ValueError, TypeError, OSError)  # what ports raise for a pin that is not fit
_UART = ("uart.tx", "uart.rx")
_NO_PIN = "%s: this chip has no pin %s"


def pin(key: str, number, verb: str, error: Exception, Pin) -> ConfigError:
    """key -- the setting; verb -- what the pin should be or do; Pin -- machine.Pin"""
    if not _exists(number, Pin):
        return ConfigError(_NO_PIN % (key, number))
    return ConfigError("%s: pin %s of this chip cannot %s: %s" % (key, number, verb, error))


def uart(settings: dict, error: Exception, Pin, has_pins: bool) -> ConfigError:
    """has_pins -- whether uart.tx and uart.rx count"""
    number = settings["uart.id"]
    if has_pins:
        for key in _UART:
            if settings[key] != -1 and not _exists(settings[key], Pin):
                return ConfigError(_NO_PIN % (key, settings[key]))
    if "exist" in str(error):
        return ConfigError("uart.id: this chip has no UART %d" % number)
    if has_pins and settings["uart.tx"] != -1:
        try:
            Pin(settings["uart.tx"], Pin.OUT)
        except ERRORS as cause:
            return pin("uart.tx", settings["uart.tx"], "be an output", cause, Pin)
    text = "UART %d at %d baud does not start: %s: check uart.baud"
    if has_pins:
        text += ", uart.tx, uart.rx"
    return ConfigError("uart.id: " + text % (number, settings["uart.baud"], error))


def pins(settings: dict, Pin) -> list:
    """What is wrong with the settings of pins: those that there are not."""
    # By their names: the table of settings takes more heap than a start has to spare.
    keys = [key for key in sorted(settings) if key in _UART or key.startswith("pins.")]
    keys = [key for key in keys if settings[key] != -1 and not key.endswith("_active")]
    return [_NO_PIN % (key, settings[key]) for key in keys if not _exists(settings[key], Pin)]


def _exists(number, Pin) -> bool:
    try:
        Pin(number)
        return True
    except ERRORS:
        return False
