"""What an evaluation run is asked to do; imports nothing heavy."""

import dataclasses
import os
from typing import Any
from typing import Dict
from typing import Tuple


@dataclasses.dataclass(frozen=True)
class Options:
  """The flags of mask2cad_tf.evaluate.

  Attributes:
    records: glob of image records.
    output_dir: where the tables go.
    model: folder of the model.
    gallery: folder of its gallery.
    library: CAD library with the true meshes; '' takes the gallery's.
    ground_truth: predict the ground truth; no model, no gallery.
    true_boxes: give the true boxes and classes to the model, everywhere.
    detections_only: leave out what is measured on true boxes.
    refine: render and compare on top of the model.
    refine_seconds: time for that, an object.
    refine_objects: of a photo, the detections of highest score.
    closer_look: small objects are seen again, larger.
    true_masks: on true boxes, compare renderings with the true masks.
    training_free: rank CADs by ImageNet features of masked crops instead of
      the trained embedding.
    search: 'exact', or 'approximate' for very large galleries.
    depth_mode: of `given_depth.MODES`.
    f1_distance: threshold of F1 in AP^mesh.
    seed: of the points on the surfaces.
    report: write report.html as well.
  """

  records: str
  output_dir: str
  model: str = ''
  gallery: str = ''
  library: str = ''
  ground_truth: bool = False
  true_boxes: bool = False
  detections_only: bool = False
  refine: bool = False
  refine_seconds: float = 2.0
  refine_objects: int = 5
  closer_look: bool = True
  true_masks: bool = False
  training_free: bool = False
  search: str = 'exact'
  depth_mode: str = 'origin'
  f1_distance: float = 0.3
  seed: int = 0
  report: bool = False

  def check(self) -> None:
    """Finds missing or contradicting options before anything is loaded.

    Raises:
      ValueError: options are missing or contradict each other.
      FileNotFoundError: there is no such library.
      FileExistsError: the output folder is a file.
    """
    if not self.records or not self.output_dir:
      raise ValueError('Give --records and --output_dir; see --help.')
    if self.ground_truth and not self.library:
      raise ValueError(
        '--ground_truth needs --library, the CAD library that the records name.'
      )
    if self.ground_truth and (self.model or self.gallery):
      raise ValueError(
        '--ground_truth takes neither --model nor --gallery: it evaluates the '
        'records themselves.'
      )
    if not self.ground_truth and not (self.model and self.gallery):
      raise ValueError(
        'Give --model and --gallery, or --ground_truth with --library.'
      )
    if self.ground_truth and (self.refine or self.training_free):
      raise ValueError(
        '--ground_truth has nothing to refine or retrieve: leave --refine and '
        '--training_free out.'
      )
    if self.training_free and self.refine:
      raise ValueError(
        '--training_free is the baseline without refinement: --refine would '
        'take its candidates from the trained embedding. Give one of them.'
      )
    if self.search != 'exact' and (self.ground_truth or self.training_free):
      raise ValueError(
        '--search is of the trained embedding: leave it out beside '
        '--ground_truth and --training_free.'
      )
    if self.detections_only and (
      self.true_boxes or self.true_masks or self.report
    ):
      raise ValueError(
        '--detections_only leaves true boxes out: --true_boxes, --true_masks '
        'and --report need them. Give one of them.'
      )
    if self.true_masks and not self.refine:
      raise ValueError(
        '--true_masks are what --refine compares with. Give --refine as well.'
      )
    if self.library and not os.path.isdir(self.library):
      raise FileNotFoundError(
        f'No CAD library at {self.library!r}: expected a folder '
        '<class>/<shape>/*.{obj,glb,ply,off}.'
      )
    if os.path.exists(self.output_dir) and not os.path.isdir(self.output_dir):
      raise FileExistsError(
        f'--output_dir={self.output_dir!r} is a file; give a folder.'
      )

  @property
  def oracles(self) -> Tuple[str, ...]:
    """Parts to swap: none into the truth, boxes where both kinds are there."""
    from mask2cad_tf.evaluation import oracle  # NumPy: --help needs none

    if self.ground_truth:
      return ()
    if self.true_boxes or self.detections_only:
      return oracle.PARTS
    return (*oracle.PARTS, 'box')

  def about(self, gallery: Any = None) -> Dict[str, Any]:
    """What was evaluated, and how, for the tables' reader.

    Args:
      gallery: retrieval.gallery.Gallery; None: the ground truth needs none.

    Returns:
      JSON values by name.
    """
    if self.ground_truth:
      subject = {'predictions': 'the ground truth itself'}
    else:
      subject = self._about_model(gallery)
    return {
      **subject,
      'boxes': self._boxes(),
      'records': self.records,
      'true_meshes': self.library or self.gallery,
      'f1_distance': self.f1_distance,
      'seed': self.seed,
    }

  def _about_model(self, gallery: Any) -> Dict[str, Any]:
    exact = self.search == 'exact'
    return {
      'predictions': self.model,
      'gallery': self.gallery,
      'gallery_version': gallery.version,
      'gallery_cads': len(gallery.cads),
      'depth_mode': self.depth_mode,
      'retrieval': 'training-free' if self.training_free else 'trained',
      **({} if exact else {'search': self.search}),
      'refined': (
        f'{self.refine_seconds:g} s an object, the {self.refine_objects} best '
        'detections of a photo'
        if self.refine
        else 'no'
      ),
      'closer look': 'yes' if self.closer_look else 'no',
      'masks compared with': 'true' if self.true_masks else 'predicted',
    }

  def _boxes(self) -> str:
    if self.ground_truth:
      return 'true'
    if self.true_boxes:
      return 'true boxes and classes; the score is the similarity of the CAD'
    return 'detected'
