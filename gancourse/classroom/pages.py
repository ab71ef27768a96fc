"""How the classroom's pages look: one file each, without script or network, for light and dark screens, wide and narrow."""

import html

from gancourse.classroom import marking
from gancourse.classroom.manual import READ
from gancourse.classroom.tables import plain
from gancourse.exercises import judging

# Symbol and colour of a status; the word beside them says the same.
LOOKS = {
    judging.RIGHT: ("✓", "right"),
    READ: ("✓", "right"),
    judging.WRONG: ("✗", "wrong"),
    marking.REFUSED: ("✗", "wrong"),
    judging.TIMED_OUT: ("✗", "wrong"),
    marking.CRASHED: ("✗", "wrong"),
    marking.UNREADABLE: ("✗", "wrong"),
    judging.UNTRIED: ("○", "open"),
    marking.MISSING: ("○", "open"),
}
OTHER = ("…", "open")

STYLE = """
:root { color-scheme: light dark; --text: #1a1a1a; --page: #ffffff; --quiet: #565656; --line: #c9c9c9;
  --code: #f4f4f2; --right: #00694a; --wrong: #a33d00; --open: #4a5568; --link: #0b57a4; }
@media (prefers-color-scheme: dark) { :root { --text: #ececec; --page: #161616; --quiet: #b5b5b5; --line: #4a4a4a;
  --code: #232323; --right: #5fd3a8; --wrong: #ffa266; --open: #b8c2d4; --link: #8ec5ff; } }
* { box-sizing: border-box; }
body { margin: 0; color: var(--text); background: var(--page); font: 17px/1.55 system-ui, sans-serif; }
main, header, footer { max-width: 62rem; margin: 0 auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1.5rem 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .4rem; overflow-wrap: anywhere; } h3 { font-size: 1.05rem; margin: 1.5rem 0 .3rem; }
p { margin: .5rem 0; max-width: 44rem; overflow-wrap: anywhere; } a { color: var(--link); }
footer { margin: 3rem auto 2rem; color: var(--quiet); font-size: .9rem; }
.points { font-size: 1.25rem; } .quiet { color: var(--quiet); }
.right { color: var(--right); } .wrong { color: var(--wrong); } .open { color: var(--open); }
.status { font-weight: 600; white-space: nowrap; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .75rem 0; min-width: min(100%, 24rem); }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .9rem .35rem 0; text-align: left; vertical-align: top; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: 4px; padding: .75rem; overflow-x: auto;
  font: 14px/1.45 ui-monospace, monospace; tab-size: 4; unicode-bidi: plaintext; }
pre.words { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
tbody th { font-weight: 500; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .2rem 1.2rem; } dd { margin: 0; overflow-wrap: anywhere; }
.bar { display: flex; height: .8rem; width: 100%; margin: .3rem 0; background: var(--code); border: 1px solid var(--line); }
.bar span { display: block; height: 100%; }
.bar .right { background: var(--right); } .bar .wrong { background: var(--wrong); } .bar .open { background: var(--line); }
.key { display: inline-block; width: .9em; height: .9em; margin: 0 .3em 0 0; border: 1px solid var(--line); }
.key:not(:first-child) { margin-left: .9em; }
.key.right { background: var(--right); } .key.wrong { background: var(--wrong); } .key.open { background: var(--line); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; } .pair > div { min-width: 0; }
@media (max-width: 34rem) { .pair { grid-template-columns: 1fr; } body { font-size: 16px; } th, td { padding-right: .6rem; } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, header: str, body: str, footer: str = "") -> str:
    """A whole page; `header`, `body` and `footer` are HTML already."""
    head = f'<meta charset="utf-8"><title>{text(title)}</title>\n'
    head += '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    head += f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n<style>{STYLE}</style>'
    foot = f"\n<footer>{footer}</footer>" if footer else ""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n<header>\n{header}\n</header>\n'
        f"<main>\n{body}\n</main>{foot}\n</body>\n</html>\n"
    )


def text(value: object) -> str:
    """Any text as harmless HTML: nothing in it is markup, and nothing of it is invisible."""
    return html.escape(plain(str(value), 50_000))


def status(value: str) -> str:
    """A status with its symbol."""
    symbol, colour = LOOKS.get(value, OTHER)
    return f'<span class="status {colour}"><span aria-hidden="true">{symbol}</span> {text(value)}</span>'


def table(caption: str, header: list[str], rows: list[list[str]], *, numbers: tuple[int, ...] = ()) -> str:
    """A table whose cells are HTML already; the first column names the row, `numbers` are columns of numbers."""

    def cell(tag: str, i: int, value: str) -> str:
        kind = ' class="n"' if i in numbers else ""
        return f"<{tag}{kind}>{value}</{tag.partition(' ')[0]}>"

    def line(row: list[str]) -> str:
        cells = (cell("td", i, value) for i, value in enumerate(row[1:], 1))
        name = cell("th scope='row'", 0, row[0])
        return f"<tr>{name}{''.join(cells)}</tr>"

    head = "".join(cell("th scope='col'", i, value) for i, value in enumerate(header))
    body = "\n".join(line(row) for row in rows)
    whole = f"<caption>{text(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>"
    label = f'tabindex="0" role="region" aria-label="{text(caption)}"'
    return f'<div class="scroll" {label}><table>\n{whole}\n</table></div>'
