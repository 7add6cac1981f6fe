"""docs/performance.svg: instructions of a received byte, of this driver and of others."""

from collections.abc import Mapping

from tools.bench.figures import ROOT

FILE = ROOT / "docs" / "performance.svg"
RX = "rx.instructions_per_byte"
BARS = (
    ("asyncio reads and drops, chunks of 64", RX + ".floor", "#9aa5b1"),
    ("this driver, chunks of 64", RX, "#2a7f62"),
    ("this driver, chunks of 256", RX + ".256", "#2a7f62"),
    ("this driver, payloads", "rx.payload_instructions_per_byte", "#2a7f62"),
    ("this driver, a wake for each 64", RX + ".wakes", "#2a7f62"),
    ("StreamReader, split: chunks of 64", RX + ".usual", "#b5654a"),
)
LEFT, HIGH, WIDE = 230, 22, 400


def draw(values: Mapping[str, float]) -> str:
    """The picture of these figures."""
    most = max(values[name] for _, name, _ in BARS)
    height = HIGH * len(BARS) + 8
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDE + 70}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="100%" height="{height}" fill="#ffffff"/>',
    ]
    for n, (text, name, colour) in enumerate(BARS):
        y = HIGH * n + 6
        wide = round(WIDE * values[name] / most)
        lines += [
            f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{text}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{wide}" height="{HIGH - 6}" fill="{colour}"/>',
            f'<text x="{LEFT + wide + 6}" y="{y + 12}">{values[name]:,.0f}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
