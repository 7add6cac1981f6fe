"""What a status of HTTP other than 2xx means for a node. Loaded when one has come."""

from c1100 import BadAnswer, C1100Error, Refused

from .refusal import Unfit

# These speak about the content. All others speak about the node, its account or the server: with
# them no record is held to be at fault.
_CONTENT = {
    400: "a record is not understood",
    409: "a record contradicts what is there",
    413: "too much at once",
    422: "a record is not what it takes",
}
_WORDS = {
    401: "check http.token",
    402: "the account is not paid for",
    403: "check http.token, and what it allows",
    404: "check the path of http.url",
    405: "it takes no POST there: check http.url",
    406: "check http.url",
    407: "a proxy wants a login: check apn",
    408: "it has waited too long",
    410: "check the path of http.url",
    411: "it wants another kind of request",
    414: "http.url is too long for it",
    415: "it takes no application/senml+json, or +cbor: check payload.format and http.url",
    421: "it is not the one for this name: check http.url",
    425: "it wants the request again",
    426: "it wants another protocol: check http.url",
    429: "too many requests: longer report.period_s",
    431: "http.token is too long for it",
    451: "the law forbids it",
    502: "what is behind it does not answer",
    503: "it is overloaded or under repair",
    504: "what is behind it does not answer in time",
    507: "it is full",
    511: "the network wants a login: check apn",
}
_CLASSES = (
    "no final answer",
    "",
    "what is there has moved: check http.url",
    "it refuses",
    "the fault is its own",
)


def error(status: int) -> C1100Error:
    """The error that a status stands for."""
    if not isinstance(status, int) or not 100 <= status < 600:
        return BadAnswer("the server answers with status %s, which is none" % status)
    words = _CONTENT.get(status) or _WORDS.get(status) or _CLASSES[status // 100 - 1]
    refused = Refused("the server answers with status %d: %s" % (status, words))
    return Unfit(refused) if status in _CONTENT else refused
