"""report.html: one self-contained page about a dataset."""

import html
from typing import Any
from typing import Dict
from typing import List
from typing import Sequence
from typing import Tuple

from tfrecords_tools.diagnosis import problem

_MOST_PROBLEMS = 500  # that the page lists; verdict.json has them all
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1180px;
padding:0 1rem;color:#1c2128;background:#fff}
h1{font-size:1.5rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2rem 0 .6rem}
.path{color:#57606a;word-break:break-all;margin:0 0 1rem}
.ok,.bad{display:inline-block;padding:.15rem .7rem;border-radius:1rem;
color:#fff;font-weight:600}.ok{background:#1a7f37}.bad{background:#cf222e}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.32rem .7rem;border-bottom:1px solid #d8dee4;
vertical-align:top}th{font-weight:600;color:#57606a}
td.n{text-align:right;font-variant-numeric:tabular-nums}
th.n{text-align:right}
.broken{color:#cf222e;font-weight:600}.warning{color:#9a6700}
code{word-break:break-all}
.grid{display:grid;gap:1rem;
grid-template-columns:repeat(auto-fill,minmax(250px,1fr))}
figure{margin:0;border:1px solid #d8dee4;border-radius:6px;overflow:hidden}
figure img{width:100%;height:240px;object-fit:contain;background:#f6f8fa;
display:block}
figcaption{padding:.45rem .6rem;font-size:13px;word-break:break-all}
.m{color:#1a7f37}.c{color:#cf222e}
@media (prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}
td,th,figure{border-color:#30363d}figure img{background:#161b22}
th,.path{color:#9198a1}}
"""


class Picture:
  """A picture of the report and what stands below it."""

  def __init__(self, uri: str, where: str, lines: Sequence[str]):
    """Keeps them; uri is the image's address, lines are plain text."""
    self.uri = uri
    self.where = where
    self.lines = tuple(lines)


def page(
  dataset: str,
  verdict: Dict[str, Any],
  galleries: Sequence[Tuple[str, str, Sequence[Picture]]],
) -> str:
  """The page.

  Args:
    dataset: what was examined.
    verdict: content of verdict.json.
    galleries: (title, explanation, pictures), in order.

  Returns:
    HTML that needs nothing else.
  """
  state = (
    '<span class="ok">sound</span>'
    if verdict['ok']
    else '<span class="bad">broken</span>'
  )
  parts = [
    '<!doctype html><html lang="en"><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    f'<title>Doctor: {html.escape(dataset)}</title><style>{_STYLE}</style>',
    f'<h1>Dataset check {state}</h1>',
    f'<p class="path">{html.escape(dataset)}</p>',
    _table(('what', 'value'), _summary_rows(verdict)),
    '<h2>Problems</h2>',
    _problems(verdict['problems']),
    *[_gallery(*one) for one in galleries if one[2]],
    '<h2>Classes and poses</h2>',
    _classes(verdict),
    '</html>',
  ]
  return '\n'.join(parts)


def _summary_rows(verdict: Dict[str, Any]) -> List[Tuple[str, str]]:
  broken = sum(x['severity'] == problem.BROKEN for x in verdict['problems'])
  mask, box = verdict['mask_iou'], verdict['box_iou']
  occlusion, photo = verdict['occlusion'], verdict['photo_agreement']
  return [
    ('photos checked', str(verdict['checked'])),
    ('objects', str(verdict['objects'])),
    ('broken', str(broken)),
    ('warnings', str(len(verdict['problems']) - broken)),
    (
      'mask IoU, record against projected CAD',
      f'median {_number(mask["median"])}, lowest {_number(mask["min"])}, '
      f'{mask["below_0.9"]} of {mask["count"]} below 0.9',
    ),
    (
      'box IoU, record against projected CAD',
      f'median {_number(box["median"])}, lowest {_number(box["min"])}',
    ),
    (
      "CAD outline on the photo's edges (1 best, 0 chance)",
      f'median {_number(photo["median"])}, lowest {_number(photo["min"])}, '
      f'{photo["count"]} measured',
    ),
    ('more than 5 % occluded', _share(occlusion['occluded'])),
    ('truncated', _share(occlusion['truncated'])),
  ]


def _problems(problems: Sequence[Dict[str, str]]) -> str:
  if not problems:
    return '<p>None.</p>'
  rows = [
    '<tr>'
    f'<td class="{one["severity"]}">{html.escape(one["kind"])}</td>'
    f'<td><code>{html.escape(one["where"])}</code></td>'
    f'<td>{html.escape(one["detail"])}</td></tr>'
    for one in problems[:_MOST_PROBLEMS]
  ]
  more = len(problems) - len(rows)
  note = f'<p>{more} more are in verdict.json.</p>' if more > 0 else ''
  return (
    '<table><tr><th>kind</th><th>where</th><th>what</th></tr>'
    f'{"".join(rows)}</table>{note}'
  )


def _gallery(title: str, text: str, pictures: Sequence[Picture]) -> str:
  figures = []
  for one in pictures:
    lines = ''.join(f'<br>{html.escape(line)}' for line in one.lines)
    where = html.escape(one.where)
    figures.append(
      f'<figure><img src="{one.uri}" alt="{where}">'
      f'<figcaption><code>{where}</code>{lines}</figcaption></figure>'
    )
  return (
    f'<h2>{html.escape(title)}</h2><p>{html.escape(text)} '
    '<span class="m">Green: the mask.</span> '
    '<span class="c">Red: the CAD at its pose.</span></p>'
    f'<div class="grid">{"".join(figures)}</div>'
  )


def _classes(verdict: Dict[str, Any]) -> str:
  rows = []
  for name, entry in verdict['classes'].items():
    poses = verdict['pose_coverage'].get(name, {})
    rows.append(
      (
        name,
        str(entry['objects']),
        _share(entry['share']),
        str(entry['photos']),
        str(entry['cads']),
        _share(poses.get('within_pi_over_6')),
        _number(poses.get('median_degrees')),
      )
    )
  return _table(
    (
      'class',
      'objects',
      'share',
      'photos',
      'CADs',
      'poses within 30° of one of 16',
      'median distance, degrees',
    ),
    rows,
    numbers=True,
  )


def _table(
  head: Sequence[str], rows: Sequence[Sequence[str]], numbers: bool = False
) -> str:
  """A table; with `numbers`, all columns but the first are right-aligned."""

  def line(tag: str, values: Sequence[str]) -> str:
    cells = [
      f'<{tag}{" class=n" if numbers and column else ""}>'
      f'{html.escape(value)}</{tag}>'
      for column, value in enumerate(values)
    ]
    return f'<tr>{"".join(cells)}</tr>'

  body = ''.join(line('td', row) for row in rows)
  return f'<table>{line("th", head)}{body}</table>'


def _number(value: Any) -> str:
  return 'not measured' if value is None else f'{value:g}'


def _share(value: Any) -> str:
  return 'not annotated' if value is None else f'{value:.1%}'
