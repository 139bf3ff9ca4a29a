"""The charts of report.html, drawn by matplotlib; its only door.

Every function takes numbers and returns a data URL. Colours are told apart by
colour-blind eyes (Paul Tol's muted and bright schemes) and never say alone what
a line is.
"""

import base64
import io
from typing import Mapping
from typing import NamedTuple
from typing import Optional
from typing import Sequence
from typing import Tuple

import matplotlib
import numpy as np
from matplotlib import axes as axes_lib
from matplotlib import figure as figure_lib
from matplotlib import offsetbox
from matplotlib import ticker

from mask2cad_tf.evaluation import ap_summary
from mask2cad_tf.evaluation import report_examples

BLUE, RED, GREEN = '#4477AA', '#EE6677', '#228833'
_CLASS_COLORS = (
  '#332288',
  '#CC6677',
  '#117733',
  '#88CCEE',
  '#DDAA33',
  '#AA4499',
  '#44AA99',
  '#882255',
  '#999933',
)
_DASHES = ('-', '--', ':')
_INK, _FAINT = '#222222', '#DDDDDD'
_STYLE = {
  'axes.edgecolor': '#888888',
  'axes.grid': True,
  'axes.axisbelow': True,
  'axes.labelcolor': _INK,
  'axes.spines.right': False,
  'axes.spines.top': False,
  'font.size': 9.0,
  'grid.color': _FAINT,
  'grid.linewidth': 0.6,
  'legend.frameon': False,
  'svg.hashsalt': 'report',  # the same picture, the same bytes
  'text.color': _INK,
  'text.parse_math': False,  # a class may be called '$'
  'xtick.color': '#555555',
  'ytick.color': '#555555',
}
_WIDTH = 4.8  # inches; a phone shows the text in its own size
_PIXELS_PER_INCH = 140  # of the maps, the only pictures of pixels


class Cloud(NamedTuple):
  """Points of one kind on a map."""

  title: str
  points: np.ndarray  # [n, 2]
  pictures: Mapping[int, np.ndarray]  # row -> uint8 [h, w, 3]
  color: str
  marker: str


@matplotlib.rc_context(_STYLE)
def bars(rows: Mapping[str, Mapping[str, Optional[float]]], label: str) -> str:
  """Horizontal bars in groups.

  Args:
    rows: title -> series -> percent; None: nothing to measure.
    label: of the axis.
  """
  series = list(next(iter(rows.values())))
  height = 0.9 + 0.19 * len(rows) * (len(series) + 0.7)
  drawn, axes = _axes(height)
  thickness = 1.0 / (len(series) + 0.7)
  for i, name in enumerate(series):
    values = [row[name] for row in rows.values()]
    places = np.arange(len(rows)) + (i - 0.5 * (len(series) - 1)) * thickness
    axes.barh(
      places,
      [value or 0.0 for value in values],
      0.92 * thickness,
      color=(BLUE, '#CCBB44', GREEN)[i],
      label=name,
    )
    for place, value in zip(places, values):
      text = '-' if value is None else f'{value:.1f}'
      axes.text((value or 0.0) + 1.0, place, text, va='center', fontsize=7.5)
  axes.set_yticks(range(len(rows)), list(rows))
  axes.tick_params(axis='y', length=0, labelcolor=_INK)
  axes.set_ylim(len(rows) - 0.45, -0.55)
  axes.set_xlim(0.0, 108.0)
  axes.set_xticks(range(0, 101, 20))
  axes.set_xlabel(label)
  axes.grid(axis='y', visible=False)
  if len(series) > 1:
    _legend_above(axes, len(series))
  return _svg(drawn)


@matplotlib.rc_context(_STYLE)
def precision_recall(curves: Mapping[str, np.ndarray]) -> str:
  """A thin line for each class, a thick one for their mean.

  Args:
    curves: class name -> precision [101] at ap_summary.RECALLS; one or more.
  """
  legend_rows = -(-(len(curves) + 1) // 3)
  drawn, axes = _axes(3.3 + 0.2 * legend_rows)
  for i, (name, precision) in enumerate(curves.items()):
    axes.plot(
      ap_summary.RECALLS,
      precision,
      color=_CLASS_COLORS[i % len(_CLASS_COLORS)],
      linestyle=_DASHES[i // len(_CLASS_COLORS) % len(_DASHES)],
      linewidth=1.1,
      label=name,
    )
  axes.plot(
    ap_summary.RECALLS,
    mean_curve(curves),
    color='black',
    linewidth=2.8,
    label='mean',
  )
  axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel='recall', ylabel='precision')
  axes.legend(
    loc='upper center', bbox_to_anchor=(0.5, -0.16), ncols=3, fontsize=8
  )
  return _svg(drawn)


def mean_curve(curves: Mapping[str, np.ndarray]) -> np.ndarray:
  """Mean precision [101] of the classes: its mean is AP at that level."""
  return np.mean(list(curves.values()), axis=0)


@matplotlib.rc_context(_STYLE)
def histogram(
  degrees: np.ndarray, bin_degrees: int = 10, mark: float = 30.0
) -> str:
  """Rotation errors [n], 0 to 180, with a line at the accepted angle."""
  drawn, axes = _axes(2.7)
  edges = np.arange(0, 181, bin_degrees)
  counts, _ = np.histogram(degrees, edges)
  axes.bar(edges[:-1], counts, 0.94 * bin_degrees, align='edge', color=BLUE)
  axes.axvline(mark, color=RED, linewidth=1.3, linestyle='--')
  axes.text(
    mark + 2, 1.02, 'pi/6', color=RED, transform=axes.get_xaxis_transform()
  )
  axes.set(xlim=(0, 180), xlabel='rotation error, degrees', ylabel='objects')
  axes.set_xticks(range(0, 181, 30))
  axes.yaxis.set_major_locator(ticker.MaxNLocator(integer=True))
  axes.grid(axis='x', visible=False)
  return _svg(drawn)


@matplotlib.rc_context(_STYLE)
def calibration(bins: Sequence[report_examples.Bin]) -> str:
  """Share that fits over the mean confidence; the diagonal is perfect."""
  drawn, axes = _axes(3.3)
  axes.plot([0, 1], [0, 1], color='#999999', linewidth=1, linestyle='--')
  axes.plot(
    [each.mean for each in bins],
    [each.share for each in bins],
    color=BLUE,
    marker='o',
    linewidth=1.6,
  )
  for each in bins:
    axes.annotate(
      f'n={each.count}',
      (each.mean, each.share),
      (6, -11),
      textcoords='offset points',
      fontsize=8,
    )
  axes.set(
    xlim=(0, 1.05),
    ylim=(-0.03, 1.05),
    xlabel='confidence',
    ylabel='share of CADs that fit',
  )
  return _svg(drawn)


@matplotlib.rc_context(_STYLE)
def embedding_map(clouds: Sequence[Cloud]) -> str:
  """Points of several kinds; some show what they stand for."""
  drawn, axes = _axes(5.2, width=5.6)
  for cloud in clouds:
    axes.scatter(
      *cloud.points.T,
      s=15,
      c=cloud.color,
      marker=cloud.marker,
      alpha=0.75,
      linewidths=0,
      label=cloud.title,
    )
    for row, picture in cloud.pictures.items():
      box = offsetbox.OffsetImage(picture, zoom=30.0 / max(picture.shape[:2]))
      axes.add_artist(
        offsetbox.AnnotationBbox(
          box,
          cloud.points[row],
          pad=0.1,
          bboxprops={'edgecolor': cloud.color, 'linewidth': 1.6},
        )
      )
  axes.set(xlim=(-0.06, 1.06), ylim=(-0.06, 1.06), xticks=(), yticks=())
  axes.grid(visible=False)
  for spine in axes.spines.values():
    spine.set_visible(False)
  _legend_above(axes, len(clouds))
  content = io.BytesIO()
  drawn.savefig(
    content, format='png', dpi=_PIXELS_PER_INCH, metadata={'Software': None}
  )
  return data_url('image/png', content.getvalue())


def data_url(media_type: str, content: bytes) -> str:
  """A picture that a page holds itself."""
  return f'data:{media_type};base64,{base64.b64encode(content).decode()}'


def _axes(
  height: float, width: float = _WIDTH
) -> Tuple[figure_lib.Figure, axes_lib.Axes]:
  drawn = figure_lib.Figure((width, height), layout='constrained')
  return drawn, drawn.add_subplot()


def _legend_above(axes: axes_lib.Axes, columns: int) -> None:
  axes.legend(
    loc='lower left',
    bbox_to_anchor=(0.0, 1.0),
    ncols=columns,
    borderaxespad=0.2,
    handlelength=1.2,
  )


def _svg(drawn: figure_lib.Figure) -> str:
  content = io.BytesIO()
  drawn.savefig(content, format='svg', metadata={'Date': None})
  return data_url('image/svg+xml', content.getvalue())
