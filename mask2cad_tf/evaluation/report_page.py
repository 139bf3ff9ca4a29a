"""report.html out of sections: one page that holds all of its pictures.

Nothing here knows what is evaluated. All texts are escaped here, and only here.
"""

import dataclasses
import html
import os
import re
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

PAGE = 'report.html'
_CSS = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 68rem; padding: 1rem 1rem 4rem;
  background: #fff; color: #222;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; margin: .5rem 0; }
h2 { font-size: 1.25rem; margin: 2.8rem 0 .6rem; padding-top: .6rem;
  border-top: 1px solid #ddd; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
nav { font-size: .9rem; line-height: 1.9; }
nav a { margin-right: 1rem; }
a { color: #2a5d9c; }
p { max-width: 46rem; }
p, li, figcaption, td { overflow-wrap: anywhere; }
ul { padding-left: 1.2rem; }
li { font-size: .9rem; }
code { font-size: .9em; background: #f3f3f3; padding: 0 .25em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid #e5e5e5; }
th { font-weight: 600; border-bottom: 1px solid #999; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 1rem 0; }
figcaption { font-size: .85rem; color: #444; max-width: 46rem; }
figcaption .data { display: block; color: #6b6b6b; font-size: .78rem; }
img { max-width: 100%; height: auto; vertical-align: top; }
.charts { display: grid; gap: 1rem 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.charts img { width: 100%; max-width: 36rem; }
.row { display: flex; flex-wrap: wrap; gap: .6rem; align-items: flex-start; }
.row figure { margin: 0; }
.pair { flex: 1 1 15rem; max-width: 320px; }
.pair img { width: 100%; margin-bottom: 2px; }
.tile { width: 112px; padding: 3px; border: 3px solid transparent;
  border-radius: 4px; }
.tile figcaption { font-size: .74rem; line-height: 1.25; }
.tile.marked { border-color: #228833; }
.tile.first { margin-right: .6rem; }
@media (max-width: 30rem) { .tile { width: 84px; } }
"""


@dataclasses.dataclass(frozen=True)
class Picture:
  """A data URL and what it shows, in words."""

  url: str
  alt: str

  def __post_init__(self):
    if not self.url.startswith('data:'):
      raise ValueError(
        'The page holds its pictures itself: expected a data URL, found '
        f'{self.url[:40]!r}.'
      )


@dataclasses.dataclass(frozen=True)
class Tile:
  """Pictures with a short caption, one of a row.

  Attributes:
    pictures: one above the other.
    caption: lines.
    kind: its looks: 'pair', 'tile', 'tile marked' or 'tile first'.
  """

  pictures: Sequence[Picture]
  caption: Sequence[str]
  kind: str


@dataclasses.dataclass(frozen=True)
class Figure:
  """A chart, or a row of tiles, with a caption.

  Attributes:
    caption: what is seen, and how to read it.
    data: what it was drawn from: counts, records, model, gallery.
    chart: the one picture; None: there are tiles.
    tiles: the row.
  """

  caption: str
  data: str
  chart: Optional[Picture] = None
  tiles: Sequence[Tile] = ()


@dataclasses.dataclass(frozen=True)
class Section:
  """A part of the page.

  Attributes:
    title: of it.
    missing: why it has nothing to show, a sentence; '' if it has.
    figures: of it.
    markdown: tables, as `report.markdown` writes them.
  """

  title: str
  missing: str = ''
  figures: Sequence[Figure] = ()
  markdown: str = ''


def page(title: str, summary: str, sections: Sequence[Section]) -> str:
  """The page.

  Args:
    title: of it.
    summary: a sentence below the title.
    sections: in order.
  """
  links = ''.join(
    f'<a href="#s{i}">{html.escape(section.title)}</a> '
    for i, section in enumerate(sections)
  )
  body = ''.join(_section(i, section) for i, section in enumerate(sections))
  return (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    f'<title>{html.escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n'
    f'<body>\n<h1>{html.escape(title)}</h1>\n<p>{html.escape(summary)}</p>\n'
    f'<nav>{links}</nav>\n<main>\n{body}</main>\n</body>\n</html>\n'
  )


def write(output_dir: str, text: str) -> str:
  """Writes the page, whole or not at all; returns its path."""
  os.makedirs(output_dir, exist_ok=True)
  path = os.path.join(output_dir, PAGE)
  # A photo's name may hold bytes that are no UTF-8.
  content = text.encode('utf-8', errors='replace')
  with open(f'{path}.tmp', 'wb') as file:
    file.write(content)
  os.replace(f'{path}.tmp', path)
  return path


def _section(index: int, section: Section) -> str:
  parts = [f'<h2>{html.escape(section.title)}</h2>\n']
  if section.missing:
    parts.append(f'<p class="missing">{html.escape(section.missing)}</p>\n')
  if section.markdown:
    parts.append(tables(section.markdown))
  charts = [figure for figure in section.figures if figure.chart is not None]
  if charts:
    parts.append(f'<div class="charts">{"".join(map(_figure, charts))}</div>\n')
  parts += [_figure(figure) for figure in section.figures if figure.tiles]
  return f'<section id="s{index}">\n{"".join(parts)}</section>\n'


def _figure(figure: Figure) -> str:
  content = (
    _image(figure.chart)
    if figure.chart is not None
    else f'<div class="row">{"".join(map(_tile, figure.tiles))}</div>'
  )
  return (
    f'<figure>\n{content}\n<figcaption>{html.escape(figure.caption)}'
    f'<span class="data">{html.escape(figure.data)}</span></figcaption>\n'
    '</figure>\n'
  )


def _tile(tile: Tile) -> str:
  images = ''.join(map(_image, tile.pictures))
  caption = '<br>'.join(map(html.escape, tile.caption))
  return (
    f'<figure class="{tile.kind}">{images}'
    f'<figcaption>{caption}</figcaption></figure>\n'
  )


def _image(picture: Picture) -> str:
  return f'<img src="{picture.url}" alt="{html.escape(picture.alt)}">'


def tables(markdown: str) -> str:
  """HTML of what `report.markdown` writes: headings, lists, tables, text.

  Args:
    markdown: blocks with an empty line between them; the page has a title, so
      '# ...' is left out.
  """
  blocks = [block for block in markdown.split('\n\n') if block.strip()]
  return ''.join(_block(block.strip('\n').split('\n')) for block in blocks)


def _block(lines: List[str]) -> str:
  first = lines[0]
  if first.startswith('# '):
    return ''
  if first.startswith('## '):
    return f'<h3>{_inline(first[3:])}</h3>\n'
  if first.startswith('| '):
    header, rows = _cells(lines[0]), [_cells(line) for line in lines[2:]]
    body = ''.join(f'<tr>{_row("td", row)}</tr>\n' for row in rows)
    return (
      f'<div class="scroll"><table>\n<thead><tr>{_row("th", header)}</tr>'
      f'</thead>\n<tbody>\n{body}</tbody></table></div>\n'
    )
  if first.startswith('- '):
    items = ''.join(f'<li>{_inline(line[2:])}</li>\n' for line in lines)
    return f'<ul>\n{items}</ul>\n'
  return f'<p>{_inline(" ".join(lines))}</p>\n'


def _cells(line: str) -> Tuple[str, ...]:
  return tuple(cell.strip() for cell in line.strip('|').split(' | '))


def _row(element: str, cells: Sequence[str]) -> str:
  return ''.join(f'<{element}>{_inline(cell)}</{element}>' for cell in cells)


def _inline(text: str) -> str:
  return re.sub('`([^`]*)`', r'<code>\1</code>', html.escape(text))
