"""report.html: what an evaluation run found, section by section.

A section for which the run has no data says so.
"""

import dataclasses
import math
from typing import Any
from typing import Callable
from typing import Dict
from typing import List
from typing import Mapping
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf.evaluation import benchmark as benchmark_lib
from mask2cad_tf.evaluation import embedding_map
from mask2cad_tf.evaluation import report
from mask2cad_tf.evaluation import report_examples
from mask2cad_tf.evaluation import report_figures
from mask2cad_tf.evaluation import report_page
from mask2cad_tf.evaluation import report_pictures
from mask2cad_tf.geometry import rotations

_NUM_STRIPS = 6  # objects whose neighbours are shown
_NUM_NEIGHBOURS = 5
_NUM_MAPS = 3  # classes, those of most objects
_MAP_POINTS = report_examples.MAX_OBJECTS  # of each kind
_MAP_PICTURES = 12  # of each kind
_NO_CADS = 'No true object of this run has a CAD.'

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


def html(run: Run) -> str:
  """The page."""
  settings = run.content['settings']
  pictures = report_pictures.CadPictures()
  summary = (
    f'{run.content["num_photos"]} photos, {run.content["num_objects"]} true '
    f'objects; boxes: {settings["boxes"]}. Every number is from one run; '
    'tables.json beside this page has those of the tables.'
  )
  return report_page.page(
    'Evaluation report',
    summary,
    [
      report_page.Section('Tables', markdown=report.markdown(run.content)),
      _class_bars(run),
      _precision_recall(run),
      _photos(run),
      _neighbours(run, pictures),
      _rotations(run),
      _oracle(run),
      _maps(run, pictures),
      _calibration(run),
    ],
  )


def _chart(
  run: Run, url: str, alt: str, caption: str, count: str
) -> report_page.Figure:
  return report_page.Figure(
    caption, run.data(count), report_page.Picture(url, alt)
  )


def _number(value: Optional[float]) -> str:
  return '-' if value is None else f'{value:.1f}'


def _class_bars(run: Run) -> report_page.Section:
  title = 'AP by class'
  content = run.content
  by_mode = content['mesh_ap']
  with_cads = content['true_boxes']['pose']['per_class']
  every = content['true_boxes']['masks']['per_class']
  figures = []
  for caption, series, counts in (
    (
      f'AP^mesh, the mean over F1^{content["settings"]["f1_distance"]:g} > '
      '.50:.05:.95, by class and over all; n counts true objects with a CAD. '
      'Longer is better.',
      by_mode,
      with_cads,
    ),
    (
      'AP^box and AP^mask, the mean over IoU .50:.05:.95, by class and over '
      'all; n counts true objects. Longer is better.',
      {'box': content['box_ap'], 'mask': content['mask_ap']},
      every,
    ),
  ):
    if not counts:
      continue
    total = sum(row['num_objects'] for row in counts.values())
    rows = {f'all (n={total})': {k: row['AP'] for k, row in series.items()}}
    for name in report.ordered(list(counts)):
      rows[f'{name} (n={counts[name]["num_objects"]})'] = {
        key: row['per_class'][name] for key, row in series.items()
      }
    alt = 'Bars of ' + '; '.join(
      f'{row_title}: '
      + ', '.join(f'{key} {_number(value)}' for key, value in row.items())
      for row_title, row in rows.items()
    )
    figures.append(
      _chart(
        run,
        report_figures.bars(rows, 'AP, percent'),
        alt,
        caption,
        f'objects: {total}, classes: {len(counts)}',
      )
    )
  missing = '' if with_cads else f'{_NO_CADS} AP^mesh has no bars.'
  if not figures:
    missing = 'This run has no true objects: there is no AP.'
  return report_page.Section(title, missing, figures)


def _precision_recall(run: Run) -> report_page.Section:
  distance = run.content['settings']['f1_distance']
  figures = []
  for name, what, curves in (
    ('AP^mesh', f'at F1^{distance:g} > .5, mode meshrcnn', run.curves.mesh),
    ('AP^box', 'at IoU > .5', run.curves.box),
  ):
    if not curves:
      continue
    mean = 100.0 * report_figures.mean_curve(curves).mean()
    figures.append(
      _chart(
        run,
        report_figures.precision_recall(
          {key: curves[key] for key in report.ordered(list(curves))}
        ),
        f'Precision over recall of {name}, by class, and the mean of '
        f'{len(curves)}, whose area is {mean:.1f} percent',
        f'{name} {what}: precision over recall, thin for each class, thick '
        f'for their mean (area {mean:.1f}, over 101 recalls). Up and '
        'to the right is better.',
        f'classes with true objects: {len(curves)}',
      )
    )
  missing = '' if run.curves.mesh else f'{_NO_CADS} AP^mesh has no curve.'
  if not figures:
    missing = 'This run has no true objects: there is no curve.'
  return report_page.Section('Precision and recall', missing, figures)


def _photos(run: Run) -> report_page.Section:
  title = 'Best and worst photos'
  examples = run.examples
  if not examples.best:
    return report_page.Section(title, f'{_NO_CADS} No photo can be ranked.')
  distance = run.content['settings']['f1_distance']
  by = (
    f'by F1^{distance:g} of the best-scored object with the true object that '
    'it overlaps most (0 where no box overlaps by more than 0.3)'
  )
  figures = []
  for name, chosen in (('Best', examples.best), ('Worst', examples.worst)):
    if chosen:
      figures.append(
        report_page.Figure(
          f'{name} photos {by}. Below each photo: that object, its mask as a '
          'tint, its CAD at the predicted pose; a question mark says that the '
          'CAD is not trusted.',
          run.data(f'photos shown: {len(chosen)}'),
          tiles=[_photo_tile(run, example) for example in chosen],
        )
      )
  missing = ''
  if not examples.worst:
    missing = 'All photos are among the best: none is left to be the worst.'
  return report_page.Section(title, missing, figures)


def _photo_tile(
  run: Run, example: report_examples.PhotoExample
) -> report_page.Tile:
  truth = ', '.join(example.true_names)
  pictures = [
    report_page.Picture(
      report_pictures.jpeg_url(example.image),
      f'Photo {example.source_id}: {truth}',
    )
  ]
  lines = [
    f'photo {example.source_id}',
    f'F1 {100.0 * example.f1:.1f}; true: {truth}',
  ]
  if example.cad is None:
    lines.append('nothing was detected')
  elif not example.cad.mesh:
    lines.append('the gallery has no CAD of the detected class')
  else:
    pictures.append(
      report_page.Picture(
        report_pictures.jpeg_url(run.draw_overlay(example)),
        f'The same with mask and CAD {example.cad.cad_id}',
      )
    )
    lines.append(example.cad.cad_id)
  return report_page.Tile(pictures, lines, 'pair')


def _neighbours(
  run: Run, pictures: report_pictures.CadPictures
) -> report_page.Section:
  title = 'Retrieval neighbours'
  samples = run.examples.objects
  if run.gallery is None:
    return report_page.Section(
      title, 'The ground truth was evaluated: nothing was retrieved.'
    )
  if not samples:
    return report_page.Section(title, f'{_NO_CADS} Nothing was retrieved.')
  figures = []
  for name, example in _turns(samples, _NUM_STRIPS):
    ranks = list(example.candidates)
    true_id = example.truth.cad_id
    place = (
      f'rank {1 + ranks.index(true_id)}'
      if true_id in ranks
      else f'not among the {len(ranks)} candidates'
    )
    figures.append(
      report_page.Figure(
        f'A {name} on its true box and the '
        f'{min(_NUM_NEIGHBOURS, len(ranks))} nearest CADs, '
        'best first, with the cosine of the embeddings, all drawn at the true '
        f'rotation. The true CAD, in a green frame: {place}.',
        run.data(f'1 of {run.examples.num_seen[name]} objects of this class'),
        tiles=_strip(run, example, pictures),
      )
    )
  return report_page.Section(title, '', figures)


def _turns(
  samples: Mapping[str, Sequence[report_examples.ObjectExample]], count: int
) -> List[Tuple[str, report_examples.ObjectExample]]:
  """Pairs of class and object: a first of every class, then the second ..."""
  longest = max(map(len, samples.values()))
  pairs = [
    (name, objects[place])
    for place in range(longest)
    for name, objects in samples.items()
    if place < len(objects)
  ]
  return pairs[:count]


def _strip(
  run: Run,
  example: report_examples.ObjectExample,
  pictures: report_pictures.CadPictures,
) -> List[report_page.Tile]:
  truth = example.truth
  tiles = [
    report_page.Tile(
      [
        report_page.Picture(
          report_pictures.jpeg_url(example.crop),
          f'The object in photo {example.source_id}',
        )
      ],
      ['photo', example.source_id],
      'tile first',
    )
  ]
  shown = list(example.candidates)[:_NUM_NEIGHBOURS]
  meshes = {cad_id: run.gallery.mesh_path(cad_id) for cad_id in shown}
  if truth.cad_id not in shown:
    shown.append(truth.cad_id)
    meshes[truth.cad_id] = truth.mesh
  for rank, cad_id in enumerate(shown, start=1):
    is_true = cad_id == truth.cad_id
    similarity = example.retrieved.similarities.get(cad_id)
    is_far = rank > min(_NUM_NEIGHBOURS, len(example.candidates))
    lines = [
      'true CAD' if is_far else f'{rank}. true CAD' if is_true else f'{rank}.',
      cad_id.split('/', 1)[-1],
      '' if similarity is None else f'cosine {similarity:.2f}',
    ]
    tiles.append(
      report_page.Tile(
        [
          report_page.Picture(
            report_pictures.jpeg_url(
              pictures.render(meshes[cad_id], example.rotation, truth.scale)
            ),
            f'Rendering of {cad_id}' + (', the true CAD' if is_true else ''),
          )
        ],
        [line for line in lines if line],
        'tile marked' if is_true else 'tile',
      )
    )
  return tiles


def _rotations(run: Run) -> report_page.Section:
  title = 'Rotation errors'
  errors = run.curves.rotation_degrees
  if not len(errors):
    return report_page.Section(title, f'{_NO_CADS} There is no rotation error.')
  within = int((errors <= 30.0).sum())
  median = float(np.median(errors))
  facts = f'median {median:.1f} degrees, {within} of {len(errors)} within pi/6'
  figure = _chart(
    run,
    report_figures.histogram(errors),
    f'Histogram of rotation errors: {facts}',
    'Angle between predicted and true rotation on true boxes, the smallest '
    f'over the symmetries of the true CAD; {facts}. Further left is better.',
    f'{len(errors)} objects with a CAD',
  )
  return report_page.Section(title, '', [figure])


def _oracle(run: Run) -> report_page.Section:
  title = 'Oracle: true parts swapped in'
  content = run.content
  if not content['oracle']:
    return report_page.Section(
      title,
      'The ground truth was evaluated: no part of it can be replaced by truth.',
    )
  rows: Dict[str, Dict[str, Optional[float]]] = {
    f'true {part}' if part != 'nothing' else 'as predicted': {
      mode: row['AP'] for mode, row in by_mode.items()
    }
    for part, by_mode in {
      'nothing': content['mesh_ap'],
      **content['oracle'],
    }.items()
  }
  if all(value is None for row in rows.values() for value in row.values()):
    return report_page.Section(title, f'{_NO_CADS} There is no AP^mesh.')
  first = 'meshrcnn'
  facts = ', '.join(
    f'{part} {_number(row[first])}' for part, row in rows.items()
  )
  figure = _chart(
    run,
    report_figures.bars(rows, 'AP^mesh, percent'),
    f'Bars of AP^mesh in mode {first}: {facts}',
    'AP^mesh when one predicted part is replaced by the truth (Appendix A): '
    'the longer a bar is than the first one, the more that part costs.',
    f'{len(rows) - 1} parts',
  )
  return report_page.Section(title, '', [figure])


def _maps(
  run: Run, pictures: report_pictures.CadPictures
) -> report_page.Section:
  title = 'Embeddings of photos and shapes'
  if run.gallery is None:
    return report_page.Section(
      title, 'The ground truth was evaluated: there are no embeddings.'
    )
  figures = [
    _map(run, name, objects, pictures)
    for name, objects in run.examples.objects.items()
    if len(objects) + _num_views(run.gallery, name)
    >= embedding_map.LEAST_POINTS
  ][:_NUM_MAPS]
  if not figures:
    return report_page.Section(
      title,
      'No class of this run has the '
      f'{embedding_map.LEAST_POINTS} points that a map needs.',
    )
  return report_page.Section(title, '', figures)


def _num_views(gallery: Any, name: str) -> int:
  rows = [i for i, cad in enumerate(gallery.cads) if cad.label_name == name]
  return int(gallery.valid[rows].sum())


def _map(
  run: Run,
  name: str,
  objects: Sequence[report_examples.ObjectExample],
  pictures: report_pictures.CadPictures,
) -> report_page.Figure:
  gallery = run.gallery
  of_class = np.array([cad.label_name == name for cad in gallery.cads])
  views = np.argwhere(gallery.valid & of_class[:, np.newaxis])
  rng = np.random.default_rng(run.seed)
  total = len(views)
  views = views[np.sort(rng.permutation(total)[:_MAP_POINTS])]
  photos = np.stack([example.retrieved.embedding for example in objects])
  shapes = gallery.embeddings[views[:, 0], views[:, 1]]
  points = embedding_map.place(np.concatenate([photos, shapes]), run.seed)
  photo_points, shape_points = points[: len(photos)], points[len(photos) :]
  with_photo = embedding_map.spread(
    photo_points, _MAP_PICTURES, np.zeros([0, 2])
  )
  with_shape = embedding_map.spread(
    shape_points, _MAP_PICTURES, photo_points[with_photo]
  )
  clouds = [
    report_figures.Cloud(
      f'{len(shapes)} views of CADs',
      shape_points,
      {
        row: pictures.render(
          gallery.mesh_path(gallery.cads[views[row, 0]].id),
          rotations.matrix_from_quaternion(
            gallery.rotations[tuple(views[row])].astype(np.float64)
          ),
        )
        for row in with_shape
      },
      report_figures.BLUE,
      's',
    ),
    report_figures.Cloud(
      f'{len(photos)} objects in photos',
      photo_points,
      {row: objects[row].crop for row in with_photo},
      report_figures.RED,
      'o',
    ),
  ]
  return _chart(
    run,
    report_figures.embedding_map(clouds),
    f'Map of {len(photos)} image embeddings and {len(shapes)} shape '
    f'embeddings of class {name}',
    f'Class {name}: the embeddings of objects on true boxes (circles, red '
    'frames) and of views of its CADs (squares, blue frames) in the plane, by '
    't-SNE of their cosines; distances between groups mean nothing. Mixed is '
    'better than apart.',
    f'{len(photos)} of {run.examples.num_seen[name]} objects, {len(shapes)} '
    f'of {total} views of {int(of_class.sum())} CADs',
  )


def _calibration(run: Run) -> report_page.Section:
  title = 'Calibration of "confident"'
  trials = run.examples.trials
  if not trials:
    if not run.refined:
      why = (
        'Nothing was rendered and compared: only --refine gives a confidence.'
      )
    else:
      why = (
        'No confidence was given: the model was never calibrated (python -m '
        'mask2cad_tf.calibrate), or no object was refined.'
      )
    return report_page.Section(title, why)
  bins = report_examples.calibration_bins(trials)
  error = sum(
    each.count * math.fabs(each.mean - each.share) for each in bins
  ) / len(trials)
  fits = sum(trial.fits for trial in trials)
  figure = _chart(
    run,
    report_figures.calibration(bins),
    'Share that fits by confidence: '
    + ', '.join(
      f'{each.share:.2f} at {each.mean:.2f} (n={each.count})' for each in bins
    ),
    'Refined objects on true boxes by the confidence that their CAD fits; it '
    f'does where F1^0.3 > .5. On the diagonal is calibrated; the mean gap is '
    f'{error:.2f}.',
    f'{len(trials)} judged objects, {fits} fit',
  )
  return report_page.Section(title, '', [figure])
