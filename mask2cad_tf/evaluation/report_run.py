"""What report.html is made from, and how its charts say what they show."""

import dataclasses
from typing import Any
from typing import Callable
from typing import Mapping

import numpy as np

from mask2cad_tf.evaluation import benchmark as benchmark_lib
from mask2cad_tf.evaluation import report_examples
from mask2cad_tf.evaluation import report_page

NO_CADS = 'No true object of this run has a CAD.'

# Photo example -> uint8 [h, w, 3], with mask and CAD; scene.cad_overlay.
OverlayDrawer = Callable[[report_examples.PhotoExample], np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
  """What the page is made from.

  Attributes:
    content: of tables.json.
    curves: what the tables sum up.
    examples: collected on the way.
    gallery: retrieval.gallery.Gallery; None: the ground truth is evaluated.
    draw_overlay: for photos with a detection that has a CAD.
    refined: whether hypotheses were rendered and compared.
    seed: of samples and maps.
  """

  content: Mapping[str, Any]
  curves: benchmark_lib.Curves
  examples: report_examples.Examples
  gallery: Any
  draw_overlay: OverlayDrawer
  refined: bool = False
  seed: int = 0

  def data(self, count: str) -> str:
    """Says what a figure was drawn from; `count` is its own."""
    settings = self.content['settings']
    parts = [
      f'{count}; {self.content["num_photos"]} photos, '
      f'{self.content["num_objects"]} true objects in all',
      f'records {settings["records"]}',
      f'predictions: {settings["predictions"]}',
    ]
    if 'gallery' in settings:
      parts.append(
        f'gallery {settings["gallery"]} ({settings["gallery_cads"]} CADs)'
      )
    return 'Data: ' + '; '.join(parts) + '.'


def chart(
  run: Run, url: str, alt: str, caption: str, count: str
) -> report_page.Figure:
  """A figure of one picture, a data URL; `count` as of `Run.data`."""
  return report_page.Figure(
    caption, run.data(count), report_page.Picture(url, alt)
  )
