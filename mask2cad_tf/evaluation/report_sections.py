"""report.html: what an evaluation run found, section by section.

A section for which the run has no data says so. Charts of the tables' numbers
are `report_charts`; here is what shows photos and CADs.
"""

from typing import Any
from typing import List
from typing import Mapping
from typing import Sequence
from typing import Tuple

import numpy as np

from mask2cad_tf.evaluation import embedding_map
from mask2cad_tf.evaluation import report
from mask2cad_tf.evaluation import report_charts
from mask2cad_tf.evaluation import report_examples
from mask2cad_tf.evaluation import report_figures
from mask2cad_tf.evaluation import report_page
from mask2cad_tf.evaluation import report_pictures
from mask2cad_tf.evaluation import report_run
from mask2cad_tf.geometry import rotations

_NUM_STRIPS = 6  # objects whose neighbours are shown
_NUM_NEIGHBOURS = 5
_NUM_MAPS = 3  # classes, those of most objects
_MAP_POINTS = report_examples.MAX_OBJECTS  # of each kind
_MAP_PICTURES = 12  # of each kind


def html(run: report_run.Run) -> str:
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
      report_charts.class_bars(run),
      report_charts.precision_recall(run),
      _photos(run),
      _neighbours(run, pictures),
      report_charts.rotations(run),
      report_charts.oracle(run),
      _maps(run, pictures),
      report_charts.calibration(run),
    ],
  )


def _photos(run: report_run.Run) -> report_page.Section:
  title = 'Best and worst photos'
  examples = run.examples
  if not examples.best:
    return report_page.Section(
      title, f'{report_run.NO_CADS} No photo can be ranked.'
    )
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
  run: report_run.Run, example: report_examples.PhotoExample
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
  run: report_run.Run, pictures: report_pictures.CadPictures
) -> report_page.Section:
  title = 'Retrieval neighbours'
  samples = run.examples.objects
  if run.gallery is None:
    return report_page.Section(
      title, 'The ground truth was evaluated: nothing was retrieved.'
    )
  if not samples:
    return report_page.Section(
      title, f'{report_run.NO_CADS} Nothing was retrieved.'
    )
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
  run: report_run.Run,
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


def _maps(
  run: report_run.Run, pictures: report_pictures.CadPictures
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
  run: report_run.Run,
  name: str,
  objects: Sequence[report_examples.ObjectExample],
  pictures: report_pictures.CadPictures,
) -> report_page.Figure:
  gallery = run.gallery
  views, total = embedding_map.sample_views(
    gallery, name, _MAP_POINTS, run.seed
  )
  num_cads = sum(cad.label_name == name for cad in gallery.cads)
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
  return report_run.chart(
    run,
    report_figures.embedding_map(clouds),
    f'Map of {len(photos)} image embeddings and {len(shapes)} shape '
    f'embeddings of class {name}',
    f'Class {name}: the embeddings of objects on true boxes (circles, red '
    'frames) and of views of its CADs (squares, blue frames) in the plane, by '
    't-SNE of their cosines; distances between groups mean nothing. Mixed is '
    'better than apart.',
    f'{len(photos)} of {run.examples.num_seen[name]} objects, {len(shapes)} '
    f'of {total} views of {num_cads} CADs',
  )
