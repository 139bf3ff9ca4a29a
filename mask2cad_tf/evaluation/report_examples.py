"""What report.html shows of photos and objects, collected on the way.

Memory is bounded: the best and worst photos, shrunk, and a random sample of
each class's objects, as thumbnails.
"""

import bisect
import dataclasses
from typing import Any
from typing import Callable
from typing import Dict
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
from PIL import Image

from mask2cad_tf.evaluation import given_depth
from mask2cad_tf.evaluation import photo as photo_lib
from mask2cad_tf.evaluation import surface_comparison
from mask2cad_tf.geometry import box_overlap
from mask2cad_tf.geometry import cameras
from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.geometry import rotations

NUM_PHOTOS = 4  # best, and as many worst
MAX_OBJECTS = 150  # of a class
PHOTO_SIDE = 320  # pixels, the longer one
CROP_SIDE = 112
_CROP_MARGIN = 0.08  # of the box's sides
_MIN_BOX_IOU = 0.3  # as MeshEvaluator's: a detection shows an object
_FITS_DISTANCE, _FITS_F1 = 0.3, 0.5  # as mask2cad_tf.calibrate's
_NOTHING = -1.0  # score where nothing is detected


@dataclasses.dataclass(frozen=True, eq=False)
class PhotoExample:
  """A photo and its first detection, pixels of the shrunk photo.

  Attributes:
    source_id: of the photo.
    f1: of the detection with the true object that it overlaps most.
    true_names: classes of the true objects.
    image: uint8 [h, w, 3].
    intrinsics: [4], (fx, fy, cx, cy).
    cad: the detection; None: nothing is detected.
    similarity: of its CAD; NaN: unknown.
    confidence: that its CAD fits, [0, 1]; None: not judged.
  """

  source_id: str
  f1: float
  true_names: Tuple[str, ...]
  image: np.ndarray
  intrinsics: np.ndarray
  cad: Optional[posed_cad.PosedCad]
  similarity: float = float('nan')
  confidence: Optional[float] = None


@dataclasses.dataclass(frozen=True, eq=False)
class ObjectExample:
  """An object on its true box.

  Attributes:
    source_id: of the photo.
    truth: the true object, without its mask.
    candidates: CAD ids, best first.
    retrieved: its embedding and the candidates' similarities.
    rotation: [3, 3], the true allocentric one: as the crop shows it.
    crop: uint8 [h, w, 3], the photo there.
  """

  source_id: str
  truth: posed_cad.PosedCad
  candidates: Sequence[str]
  retrieved: photo_lib.Retrieved
  rotation: np.ndarray
  crop: np.ndarray


class Trial(NamedTuple):
  """A refined object on its true box, judged."""

  confidence: float
  fits: bool  # F1^0.3 above 0.5


class Bin(NamedTuple):
  """Trials of about the same confidence."""

  mean: float  # of the confidences
  share: float  # that fits
  count: int


def calibration_bins(trials: Sequence[Trial], count: int = 5) -> List[Bin]:
  """Trials by confidence, in bins of equal width; empty ones are left out."""
  confidences = np.array([trial.confidence for trial in trials])
  fits = np.array([trial.fits for trial in trials])
  rows = np.minimum((confidences * count).astype(int), count - 1)
  return [
    Bin(
      float(confidences[rows == row].mean()),
      float(fits[rows == row].mean()),
      int((rows == row).sum()),
    )
    for row in np.unique(rows)
  ]


class Examples:
  """A benchmark.Observer; collects while photos pass."""

  def __init__(
    self,
    comparison: surface_comparison.SurfaceComparison,
    class_names: Sequence[str],
    f1_distance: float = 0.3,
    judge: Optional[Callable[[Any], float]] = None,
    seed: int = 0,
  ):
    """Starts empty.

    Args:
      comparison: of posed CADs.
      class_names: of labels 1, 2, ...
      f1_distance: threshold of the photos' F1.
      judge: refinement.confidence.Confidence.probability; None: never
        calibrated.
      seed: of the samples.
    """
    self._comparison = comparison
    self._class_names = tuple(class_names)
    self._f1_distance = f1_distance
    self._judge = judge
    self._rng = np.random.default_rng(seed)
    self._ranked: Tuple[List[Any], List[Any]] = ([], [])  # best, worst
    self._num_photos = 0
    self._objects: Dict[int, List[ObjectExample]] = {}
    self._num_seen: Dict[int, int] = {}
    self._trials: List[Trial] = []

  def add(
    self,
    photo: photo_lib.Photo,
    detections: photo_lib.Prediction,
    on_true_boxes: photo_lib.Prediction,
  ) -> None:
    """A photo; all of its true objects have a CAD."""
    if not photo.objects:
      return
    self._add_photo(photo, detections)
    for index, truth in enumerate(photo.objects):
      if on_true_boxes.retrieved:
        self._add_object(photo, truth, on_true_boxes, index)

  @property
  def best(self) -> List[PhotoExample]:
    """Photos of highest F1, best first."""
    return [example for _, _, example in self._ranked[0]]

  @property
  def worst(self) -> List[PhotoExample]:
    """Photos of lowest F1, worst first; none that is among the best.

    Where several have the same, the surest detection comes first.
    """
    best = {number for _, number, _ in self._ranked[0]}
    return [
      example for _, number, example in self._ranked[1] if number not in best
    ]

  @property
  def objects(self) -> Dict[str, List[ObjectExample]]:
    """Class name -> a random sample; the class of most objects first."""
    return {
      self._class_names[label - 1]: self._objects[label]
      for label in sorted(
        self._objects, key=lambda label: (-self._num_seen[label], label)
      )
    }

  @property
  def num_seen(self) -> Dict[str, int]:
    """Class name -> objects that the sample was drawn from."""
    return {
      self._class_names[label - 1]: count
      for label, count in self._num_seen.items()
    }

  @property
  def trials(self) -> List[Trial]:
    """Of all refined objects, where there is a judge."""
    return self._trials

  def _add_photo(
    self, photo: photo_lib.Photo, detections: photo_lib.Prediction
  ) -> None:
    number, self._num_photos = self._num_photos, self._num_photos + 1
    scores = [cad.score for cad in detections.objects]
    first = int(np.argmax(scores)) if scores else None
    score = _NOTHING if first is None else scores[first]
    f1 = 0.0 if first is None else self._f1(detections.objects[first], photo)
    example = None
    for ranked, sign in zip(self._ranked, (-1.0, 1.0)):
      key = (sign * f1, -score)
      place = bisect.bisect_right([other for other, _, _ in ranked], key)
      if place == NUM_PHOTOS:
        continue
      if example is None:
        example = self._example(photo, detections, first, f1)
      ranked.insert(place, (key, number, example))
      del ranked[NUM_PHOTOS:]

  def _f1(self, cad: posed_cad.PosedCad, photo: photo_lib.Photo) -> float:
    truth = given_depth.nearest_truth(cad.box, photo.objects)
    if box_overlap.box_iou(cad.box, truth.box).item() <= _MIN_BOX_IOU:
      return 0.0
    return self._comparison.f1(cad, truth, self._f1_distance)

  def _example(
    self,
    photo: photo_lib.Photo,
    detections: photo_lib.Prediction,
    first: Optional[int],
    f1: float,
  ) -> PhotoExample:
    height, width = photo.size
    scale = min(1.0, PHOTO_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    stretch = np.array([size[0] / width, size[1] / height])
    cad, similarity, probability = None, float('nan'), None
    if first is not None:
      cad = detections.objects[first]
      cad = dataclasses.replace(
        cad,
        box=cad.box * np.tile(stretch[::-1], 2),
        mask=None
        if cad.mask is None
        else np.asarray(Image.fromarray(cad.mask).resize(size)),
      )
      if detections.retrieved:
        known = detections.retrieved[first]
        similarity = known.similarities.get(cad.cad_id, float('nan'))
        if known.hypothesis is not None and self._judge is not None:
          probability = self._judge(known.hypothesis)
    return PhotoExample(
      photo.source_id,
      f1,
      tuple(self._class_names[cad.label - 1] for cad in photo.objects),
      _shrunk(photo.image, size),
      photo.intrinsics * np.tile(stretch, 2),
      cad,
      similarity,
      probability,
    )

  def _add_object(
    self,
    photo: photo_lib.Photo,
    truth: posed_cad.PosedCad,
    prediction: photo_lib.Prediction,
    index: int,
  ) -> None:
    known = prediction.retrieved[index]
    if known.hypothesis is not None and self._judge is not None:
      f1 = self._comparison.f1(prediction.objects[index], truth, _FITS_DISTANCE)
      self._trials.append(Trial(self._judge(known.hypothesis), f1 > _FITS_F1))
    # Algorithm R: every object of a class is kept with the same probability.
    sample = self._objects.setdefault(truth.label, [])
    seen = self._num_seen.get(truth.label, 0)
    self._num_seen[truth.label] = seen + 1
    place = seen if seen < MAX_OBJECTS else int(self._rng.integers(seen + 1))
    if place >= MAX_OBJECTS:
      return
    example = ObjectExample(
      photo.source_id,
      dataclasses.replace(truth, mask=None),
      prediction.candidates[index],
      photo_lib.Retrieved(
        # A copy: the row alone would keep the whole photo's in memory.
        np.array(known.embedding),
        known.similarities,
      ),
      rotations.allocentric_from_camera(
        truth.rotation,
        cameras.project(truth.translation, photo.intrinsics),
        photo.intrinsics,
      ),
      _crop(photo.image, truth.box),
    )
    sample[place : place + 1] = [example]


def _shrunk(image: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
  return np.asarray(
    Image.fromarray(image).resize(size, Image.Resampling.LANCZOS)
  )


def _crop(image: np.ndarray, box: np.ndarray) -> np.ndarray:
  """The photo in a box [4], yxyx, and a margin; one pixel or more."""
  limits = np.tile(image.shape[:2], 2)
  margin = _CROP_MARGIN * np.tile(box[2:] - box[:2], 2) * [-1, -1, 1, 1]
  ymin, xmin, ymax, xmax = np.clip(np.round(box + margin), 0, limits).astype(
    int
  )
  ymin, xmin = min(ymin, limits[0] - 1), min(xmin, limits[1] - 1)
  crop = image[ymin : max(ymax, ymin + 1), xmin : max(xmax, xmin + 1)]
  scale = min(1.0, CROP_SIDE / max(crop.shape[:2]))
  height, width = (max(1, round(side * scale)) for side in crop.shape[:2])
  return _shrunk(crop, (width, height))
