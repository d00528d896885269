"""Pictures of the terminal for the documentation: docs/images/NAME.ansi (captured text) -> docs/images/NAME.svg.

    python scripts/capture.py

The text is a real session, captured with its colours, for instance with `script -c "raijin apply" NAME.ansi`. The
picture refers to nothing outside itself: rich would load a font from the internet, which is taken out.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
COLUMNS = 96
CELL = 12.2
"""Width of a character in rich's pictures."""


def picture(text: str, title: str) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(text.rstrip("\n")))
    svg = console.export_svg(title=title, unique_id="raijin")
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", "monospace").replace("Fira Code", "monospace")
    return re.sub(r'x="([\d.]+)" (y="[\d.]+") textLength="([\d.]+)"([^>]*)>((?:&#160;)+)(?=[^<&])', _unspaced, svg)


def _unspaced(found: re.Match[str]) -> str:
    """Blanks at the beginning of a text are lost by some programs: begin the text after them."""
    x, y, length, rest, blanks = found.groups()
    moved = len(blanks) // len("&#160;") * CELL
    return f'x="{float(x) + moved:g}" {y} textLength="{float(length) - moved:g}"{rest}>'


def main() -> int:
    for source in sorted(FOLDER.glob("*.ansi")):
        svg = picture(source.read_text(encoding="utf-8"), f"raijin {source.stem}")
        outside = [address for address in re.findall(r"https?://[^\"'\s)]+", svg) if "www.w3.org" not in address]
        if outside:
            sys.stderr.write(f"{source.name}: the picture refers to {outside[0]}\n")
            return 1
        source.with_suffix(".svg").write_text(svg, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
