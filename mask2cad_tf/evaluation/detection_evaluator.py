"""AP^box and AP^mask by pycocotools, on data sets held in memory."""

import contextlib
import io
from typing import Any
from typing import Dict
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
from pycocotools import coco as coco_lib
from pycocotools import cocoeval
from pycocotools import mask as mask_lib

from mask2cad_tf.evaluation import ap_summary
from mask2cad_tf.geometry import posed_cad

_KINDS = {'box': 'bbox', 'mask': 'segm'}


class DetectionEvaluator:
  """Collects images; gives COCO's AP, AP50, AP75 and AP by class."""

  def __init__(self, class_names: Sequence[str], include_masks: bool = True):
    """Keeps the names of labels 1, 2, ..., and whether masks are evaluated."""
    self._class_names = tuple(class_names)
    self._include_masks = include_masks
    self.reset()

  def reset(self) -> None:
    """Forgets all images."""
    self._images: List[Dict[str, Any]] = []
    self._truths: List[Dict[str, Any]] = []
    self._predictions: List[Dict[str, Any]] = []

  def update_state(
    self,
    truths: Sequence[posed_cad.PosedCad],
    predictions: Sequence[posed_cad.PosedCad],
    image_size: Tuple[int, int],
    crowds: Sequence[posed_cad.PosedCad] = (),
  ) -> None:
    """Adds an image.

    Args:
      truths: the image's true objects; boxes and masks in original pixels.
      predictions: the image's predicted objects, likewise.
      image_size: height and width, pixels.
      crowds: true groups of which no object is annotated: what is found in
        them counts neither for nor against.

    Raises:
      ValueError: an object has no mask of the image's size (only if masks are
        evaluated).
    """
    image_id = len(self._images) + 1
    self._images.append(
      {'id': image_id, 'height': image_size[0], 'width': image_size[1]}
    )
    for collected, cads, is_crowd in (
      (self._truths, truths, 0),
      (self._truths, crowds, 1),
      (self._predictions, predictions, 0),
    ):
      for cad in cads:
        annotation = self._annotation(cad, image_size)
        annotation['iscrowd'] = is_crowd
        # COCOeval takes id 0 for "not matched": ids start at 1.
        annotation.update(id=len(collected) + 1, image_id=image_id)
        collected.append(annotation)

  def result(self) -> Dict[str, ap_summary.ApSummary]:
    """'box' (and 'mask') -> COCO's AP."""
    kinds = _KINDS if self._include_masks else ('box',)
    return {kind: self._evaluate(_KINDS[kind]) for kind in kinds}

  def box_precision_at_50(self) -> Dict[str, np.ndarray]:
    """Class name -> precision [101] at ap_summary.RECALLS, box IoU 0.5."""
    table = self._precision('bbox', np.array([0.5]))[0]  # [recalls, classes]
    return {
      name: table[:, i]
      for i, name in enumerate(self._class_names)
      if table[0, i] >= 0.0
    }

  def _annotation(
    self, cad: posed_cad.PosedCad, image_size: Tuple[int, int]
  ) -> Dict[str, Any]:
    ymin, xmin, ymax, xmax = (float(v) for v in cad.box)
    annotation = {
      'category_id': int(cad.label),
      'score': float(cad.score),
      'bbox': [xmin, ymin, xmax - xmin, ymax - ymin],
      'area': (xmax - xmin) * (ymax - ymin),
    }
    if self._include_masks:
      if cad.mask is None or cad.mask.shape != tuple(image_size):
        found = 'no mask' if cad.mask is None else f'one of {cad.mask.shape}'
        raise ValueError(
          f'AP^mask needs a mask of {tuple(image_size)} for {cad.cad_id!r}; '
          f'found {found}. Give full-size masks or set include_masks=False.'
        )
      annotation['segmentation'] = mask_lib.encode(
        np.asfortranarray(cad.mask, np.uint8)
      )
    return annotation

  def _evaluate(self, iou_type: str) -> ap_summary.ApSummary:
    precision = self._precision(iou_type).mean(axis=1)
    return ap_summary.summarize(
      self._class_names, np.where(precision < 0.0, np.nan, precision).T
    )

  def _precision(
    self, iou_type: str, levels: Optional[np.ndarray] = None
  ) -> np.ndarray:
    """Precision [levels, recalls, classes], -1 without true objects.

    Args:
      iou_type: COCO's, 'bbox' or 'segm'.
      levels: of the IoU; None: COCO's ten.
    """
    with contextlib.redirect_stdout(io.StringIO()):
      evaluation = cocoeval.COCOeval(
        self._dataset(self._truths), self._dataset(self._predictions), iou_type
      )
      if levels is not None:
        evaluation.params.iouThrs = levels
      evaluation.evaluate()
      evaluation.accumulate()
    # [levels, recalls, classes, areas, detection limits]; all areas, the
    # largest limit.
    return evaluation.eval['precision'][:, :, :, 0, -1]

  def _dataset(self, annotations: Sequence[Dict[str, Any]]) -> coco_lib.COCO:
    dataset = coco_lib.COCO()
    dataset.dataset = {
      'images': self._images,
      # COCOeval writes into annotations: each evaluation gets its own.
      'annotations': [dict(annotation) for annotation in annotations],
      'categories': [
        {'id': i + 1, 'name': name} for i, name in enumerate(self._class_names)
      ],
    }
    dataset.createIndex()
    return dataset
