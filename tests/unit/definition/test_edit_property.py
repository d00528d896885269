"""Whatever a file looks like, adding and removing hosts leaves every other line as it was."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from raijin.definition.edit import Edits
from raijin.definition.load import load


@st.composite
def host_lines(draw: st.DrawFn, number: int, indent: int, gap: int) -> list[str]:
    """One host, in one of the ways that people write it, perhaps with comments and blank lines around."""
    name, margin = f"h{number}", " " * indent
    body = margin + " " * (1 + gap)
    comment = draw(st.sampled_from(["", "  # note", "\t# tab"]))
    kind = draw(st.sampled_from(["flow", "block", "quoted", "nested", "literal"]))
    lines = {
        "flow": [f"{margin}-{' ' * gap}{{ name: {name} , address: 192.0.2.{number} }}{comment}"],
        "block": [f"{margin}-{' ' * gap}name: {name}{comment}", f"{body}address:   192.0.2.{number}"],
        "quoted": [f"{margin}-{' ' * gap}\"name\": '{name}'{comment}", f"{body}labels: {{a: b}}"],
        "nested": [f"{margin}-{' ' * gap}name: {name}", f"{body}labels:{comment}", f"{body} a: b", f"{body}# in", ""],
        "literal": [f"{margin}-{' ' * gap}name: >-", f"{body}  {name}", ""],
    }[kind]
    above = draw(st.sampled_from([[], [f"{margin}# about {name}"], ["", f"{margin}  # {name}"]]))
    return [*above, *lines]


@st.composite
def sites(draw: st.DrawFn) -> tuple[list[str], int]:
    indent, gap = draw(st.integers(0, 6)), draw(st.integers(1, 3))
    count = draw(st.integers(1, 5))
    lines = ["# head", "kind:   Site", f"hosts:{draw(st.sampled_from(['', '  # all']))}"]
    for number in range(count):
        lines += draw(host_lines(number, indent, gap))
    lines += draw(st.sampled_from([[], ["", "name:  lab"], [f"{' ' * indent}# end", "ssh: {port:  22}", "# bye"]]))
    return lines, count


@settings(max_examples=150, deadline=None)
@given(sites(), st.data())
def test_random_edits(site: tuple[list[str], int], data: st.DataObject) -> None:
    lines, count = site
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d.yaml"
        newline = data.draw(st.sampled_from(["\n", "\r\n"]))
        path.write_bytes(newline.join([*lines, ""]).encode())
        before = path.read_bytes().decode().split(newline)
        names = [host.name for host in load(path, {}).site().hosts]
        assert names == [f"h{number}" for number in range(count)]
        edits = Edits([path], {})
        added = data.draw(st.integers(0, 3))
        for number in range(added):
            edits.add_host({"name": f"new{number}", "address": f"198.51.100.{number}", "labels": {"zone": "x"}})
            names.append(f"new{number}")
        middle = next(iter(edits.texts.values())).split(newline) if added else before
        assert _is_subsequence(before, middle)
        gone = data.draw(st.lists(st.sampled_from(names), unique=True))
        for name in gone:
            edits.remove_host(name)
        saved = edits.save()
        assert [host.name for host in saved.site().hosts] == [name for name in names if name not in gone]
        after = path.read_bytes().decode().split(newline)
        kept = [line for line in after if not line.startswith("hosts:")]
        assert _is_subsequence(kept, middle)
        own_comments = [line for line in before if line.strip().startswith(("# head", "# about", "# end", "# bye"))]
        assert _is_subsequence(own_comments, after)


def _is_subsequence(some: list[str], all_: list[str]) -> bool:
    rest = iter(all_)
    return all(any(line == other for other in rest) for line in some)
