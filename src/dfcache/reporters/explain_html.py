"""The table of ``dfcache explain`` as a page: before the fix and after it, one file, no network."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from dfcache.model.explain import MAY, Change, Explanation, Line, worst
from dfcache.reporters.explain_text import kind
from dfcache.reporters.printable import printable

_STYLE = """\
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6472; --paper: #fff; --line: #dde1e7;
  --cached: #e6efe8; --again: #f3b63f; --lost: #b93127; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaee; --soft: #a3abb8; --paper: #171b22; --line: #333a45; --cached: #243a2c; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 16px; max-width: 1280px; background: var(--paper);
  color: var(--ink); font: 16px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.25rem; margin: 0 0 .2em; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0; }
p { margin: .3em 0; }
.soft { color: var(--soft); font-size: .875rem; }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 20px; margin-top: 16px; }
@media (min-width: 900px) { main.two { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
section { border: 1px solid var(--line); border-radius: 8px; padding: 12px; }
.scroll { overflow-x: auto; }
table { border-collapse: separate; border-spacing: 2px; width: 100%; }
thead th { vertical-align: bottom; padding: 0; width: 28px; font-weight: 400; }
thead th span { writing-mode: vertical-rl; transform: rotate(180deg); font-size: .8125rem;
  max-height: 17em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
tbody th { text-align: left; font-weight: 400; padding: 2px 4px 2px 0; min-width: 132px;
  position: sticky; left: 0; background: var(--paper); }
tbody th code { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2;
  overflow: hidden; overflow-wrap: anywhere; font: .75rem/1.35 ui-monospace, monospace; }
tbody tr.stage th { color: var(--soft); font-size: .8125rem; padding-top: 8px; }
td { height: 34px; min-width: 26px; text-align: center; border-radius: 4px; font-weight: 700;
  background: var(--cached); }
td.again, i.again { background: var(--again); color: #241a00; }
td.lost, i.lost { background: var(--lost); color: #fff; }
td.may, i.may { background-image: repeating-linear-gradient(135deg, transparent 0 5px,
  rgb(255 255 255 / .3) 5px 8px); }
ul { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0;
  margin: 12px 0 0; }
i { display: inline-block; width: 1.5em; text-align: center; border-radius: 4px; font-style: normal;
  font-weight: 700; margin-right: .4em; background: var(--cached); }
@media (max-width: 480px) {
  body { padding: 8px; } section { padding: 8px; } tbody th { min-width: 108px; }
}
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""


def explained(
    path: str, context: str | None, before: Explanation, after: Explanation | None = None
) -> str:
    """The page; ``after`` is None where there is nothing that dfcache would fix."""
    name = escape(printable(path))
    where = f"build context {context}" if context else "the build context is not at hand"
    panels = [_panel("As it is" if after else "", before)]
    if after is not None:
        panels.append(_panel("After dfcache fix", after))
    lines = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>What runs again: {name}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>",
        f"<h1>What runs again when something changes: {name}</h1>",
        f'<p class="soft">{escape(printable(where))}</p>',
        "" if after else '<p class="soft">dfcache fix finds nothing to change here.</p>',
        '<main class="two">' if after else "<main>",
        *panels,
        f"</main>\n{_legend(before, after)}\n</body>\n</html>\n",
    ]  # fmt: skip
    return "\n".join(line for line in lines if line)


def _panel(title: str, explanation: Explanation) -> str:
    return "\n".join(
        (
            "<section>",
            f"<h2>{title}</h2>" if title else "",
            f"<p>{escape(printable(worst(explanation)))}</p>",
            '<div class="scroll"><table>',
            f"<thead><tr><td style='background:none'></td>{_heads(explanation)}</tr></thead>",
            "<tbody>",
            *_rows(explanation),
            "</tbody></table></div>",
            *(f'<p class="soft">{escape(printable(note))}</p>' for note in explanation.notes),
            "</section>",
        )
    )


def _heads(explanation: Explanation) -> str:
    return "".join(
        f'<th scope="col" title="{escape(_all(change))}"><span>{escape(kind(change))}</span></th>'
        for change in explanation.changes
    )


def _all(change: Change) -> str:
    return printable(", ".join(change.names))


def _rows(explanation: Explanation) -> Iterator[str]:
    stage = ""
    columns = len(explanation.changes) + 1
    for row, line in enumerate(explanation.steps):
        if line.stage != stage:
            stage = line.stage
            yield f'<tr class="stage"><th colspan="{columns}">{escape(printable(stage))}</th></tr>'
        cells = "".join(_cell(line, change.marks[row]) for change in explanation.changes)
        text, brief = escape(printable(line.text)), escape(printable(line.brief))
        head = f'<th scope="row" title="{text}"><code>{line.number} {brief}</code></th>'
        yield f"<tr>{head}{cells}</tr>"


def _cell(line: Line, mark: str) -> str:
    if not mark:
        return '<td><span class="hidden">cached</span></td>'
    kinds = ["lost" if line.lost else "again"] + (["may"] if mark == MAY else [])
    sign = "?" if mark == MAY else "↓" if line.lost else "↻"
    said = ("may run again" if mark == MAY else "runs again") + (", downloads" * bool(line.lost))
    return f'<td class="{" ".join(kinds)}">{sign}<span class="hidden"> {said}</span></td>'


def _legend(before: Explanation, after: Explanation | None) -> str:
    both = (before, *((after,) if after else ()))
    may = any(MAY in change.marks for each in both for change in each.changes)
    parts = [
        "<li><i>&nbsp;</i>comes from the cache</li>",
        '<li><i class="again">↻</i>runs again</li>',
        '<li><i class="lost">↓</i>runs again and downloads packages that no cache keeps</li>',
    ]
    if may:
        text = "runs again if the stage it copies from then holds other files"
        parts.append(f'<li><i class="again may">?</i>{text}</li>')
    return f'<ul class="soft">{"".join(parts)}</ul>'
