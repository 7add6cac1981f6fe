"""The four variants of the module (manual, cover and tables 3 and 4)."""

from . import at, dialect

GSM, LTE_M, NB_IOT = 0, 7, 9  # <AcT>, TS 27.007 7.3

_LTE = (1, 2, 3, 4, 5, 8, 12, 13, 17, 18, 19, 20, 26, 28)
_EGPRS = (2, 3, 5, 8)
_MULTI = {LTE_M: _LTE + (39,), NB_IOT: _LTE, GSM: _EGPRS}
_NB = {NB_IOT: _LTE}

# name: (bands by radio access technology, GNSS, TAF packaging)
TABLE = {
    "MGGT": (_MULTI, True, True),
    "NGGT": (_NB, True, True),
    "MGCX": (_MULTI, True, False),
    "NGCX": (_NB, True, False),
}


class Variant:
    """name, bands ({<AcT>: (band, ...)}), gnss, taf"""

    def __init__(self, name: str) -> None:
        self.name = name
        self.bands, self.gnss, self.taf = TABLE[name]

    def require(self, feature: str) -> None:
        """``gnss``, ``taf``, ``gsm``, ``lte-m`` or ``nb-iot``. Raises NotSupported without it."""
        has = {
            "gnss": self.gnss,
            "taf": self.taf,
            "gsm": GSM in self.bands,
            "lte-m": LTE_M in self.bands,
            "nb-iot": NB_IOT in self.bands,
        }
        if not has[feature]:
            raise at.NotSupported("the C1100 %s has no %s" % (self.name, feature))


async def ask(channel) -> Variant:
    """C1100.variant()"""
    return parse(" ".join(await channel.ask(dialect.MODEL)))


async def explain(channel, error: at.CommandError, feature: str) -> None:
    """Raise NotSupported when a command failed because this variant lacks the feature, else the
    error itself.
    """
    try:
        variant = await ask(channel)
    except at.C1100Error:  # it does not say which variant it is
        raise error
    variant.require(feature)
    raise error


def parse(model: str) -> Variant:
    """The variant that a model text such as ``C1100 MGGT`` names. Raises NotSupported."""
    for name in TABLE:
        if name in model.upper():
            return Variant(name)
    raise at.NotSupported("%r names none of the variants %s" % (model, ", ".join(TABLE)))
