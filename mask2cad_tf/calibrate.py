r"""Teaches a model when to say that no CAD of the gallery fits.

Example:
  python -m mask2cad_tf.calibrate --records='data/val/images*' \
    --library=data/library --model=runs/lite/model --gallery=runs/lite/gallery

Every object of the records is refined twice on its true box: with the whole
gallery, and with its CAD and near-duplicates hidden. Half of the photos fit
the judge (refinement/confidence.py), the other half measure it.

Writes confidence.json into the model's folder; predict's `confident` is its
probability over one half.
"""

from typing import List
from typing import NamedTuple
from typing import Sequence

from absl import flags

from mask2cad_tf import command_line
from mask2cad_tf import progress

FLAGS = flags.FlagValues()  # apart from other commands' flags
_MODEL = flags.DEFINE_string(
  'model', None, 'Folder of the model, as evaluate takes it.', flag_values=FLAGS
)
_GALLERY = flags.DEFINE_string(
  'gallery', None, 'Gallery of that model.', flag_values=FLAGS
)
_LIBRARY = flags.DEFINE_string(
  'library', '', 'Folder of the true CADs, else the gallery.', flag_values=FLAGS
)
_RECORDS = flags.DEFINE_string(
  'records',
  None,
  'Synthetic photos, a glob of image records.',
  flag_values=FLAGS,
)
_MAX_OBJECTS = flags.DEFINE_integer(
  'max_objects',
  300,
  'Objects looked at, each twice.',
  lower_bound=2,
  flag_values=FLAGS,
)
_REFINE_SECONDS = flags.DEFINE_float(
  'refine_seconds',
  2.0,
  'As predict has it.',
  lower_bound=0.0,
  flag_values=FLAGS,
)
_DISTANCE, _GOOD = 0.3, 0.5  # F1^0.3 above one half: the CAD fits
_DUPLICATE = 0.95  # mean cosine of equal views: as good as the same CAD
_BINS = 5


class Trial(NamedTuple):
  """One refined object."""

  evidence: Sequence[float]
  fits: bool
  hidden: bool  # whether its CAD was
  held_out: bool  # measures, does not teach


def calibrate() -> str:
  """Fits, measures, writes; returns what is to be printed."""
  import numpy as np

  from mask2cad_tf.refinement import confidence

  trials = _trials()
  rows = np.array([trial.evidence for trial in trials])
  fits = np.array([trial.fits for trial in trials])
  held_out = np.array([trial.held_out for trial in trials])
  judge = confidence.fit(rows[~held_out], fits[~held_out])
  judge.save(_MODEL.value)
  return report(judge.probabilities(rows[held_out]), fits[held_out], trials)


def _trials() -> List[Trial]:
  from mask2cad_tf.evaluation import photo_records
  from mask2cad_tf.evaluation import surface_comparison
  from mask2cad_tf.evaluation import true_cads
  from mask2cad_tf.modeling import model_folder
  from mask2cad_tf.refinement import confidence
  from mask2cad_tf.retrieval import gallery as gallery_lib
  from mask2cad_tf.serving import closer_look
  from mask2cad_tf.serving import detection_refiner
  from mask2cad_tf.serving import mask2cad_module

  model, config = model_folder.load(_MODEL.value)
  model_config = config.task.model
  gallery = gallery_lib.load(
    _GALLERY.value, model_folder.fingerprint(model), model_config.class_names
  )
  module = closer_look.CloserLook(
    mask2cad_module.Mask2CADModule(model, config.task, gallery)
  )
  refiner = detection_refiner.DetectionRefiner.of_encoder(
    model.view_encoder, model_config, gallery, _REFINE_SECONDS.value
  )
  comparison = surface_comparison.SurfaceComparison()
  true = true_cads.TrueCads(
    _LIBRARY.value,
    {cad.id: gallery.mesh_path(cad.id) for cad in gallery.cads},
    {cad.id: cad.symmetry for cad in gallery.cads},
  )
  trials: List[Trial] = []
  most = 2 * _MAX_OBJECTS.value
  photos = photo_records.read(_RECORDS.value, true.find_mesh)
  # The time left is that of --max_objects, if the records hold so many.
  with progress.Line('calibrate', most, 'trials') as line:
    for number, photo in enumerate(photos):
      if len(trials) >= most:
        break
      for hidden in (False, True):
        for truth, best in _refined(module, refiner, gallery, photo, hidden):
          f1 = comparison.f1(_posed(best, truth, gallery), truth, _DISTANCE)
          evidence = confidence.evidence(best).tolist()
          trials.append(Trial(evidence, f1 > _GOOD, hidden, number % 2 == 1))
          line.add()
  return trials


def _refined(module, refiner, gallery, photo, hidden: bool):
  """Pairs of true object and best hypothesis, where there is one."""
  import numpy as np

  truths = [truth for truth in photo.objects if truth.mesh]
  if not truths:
    return []
  outputs = module.predict_boxes(
    photo.image,
    photo.intrinsics.astype(np.float32),
    np.array([truth.box for truth in truths], np.float32),
    np.array([truth.label for truth in truths], np.int32),
  )
  found = refiner.refine(
    photo.image,
    photo.intrinsics,
    {key: value[0].numpy() for key, value in outputs.items()},
    [float(truth.translation[2]) for truth in truths],
    top_k=1,
    exact_boxes=True,
    hidden_cads=[
      gallery.near_duplicates(truth.cad_id, _DUPLICATE) if hidden else ()
      for truth in truths
    ],
  )
  return [(truth, best[0]) for truth, best in zip(truths, found) if best]


def _posed(best, truth, gallery):
  """The true object with a hypothesis's CAD and pose."""
  import dataclasses

  return dataclasses.replace(
    truth,
    cad_id=best.cad_id,
    mesh=gallery.mesh_path(best.cad_id),
    rotation=best.rotation,
    translation=best.translation,
  )


def report(probabilities, fits, trials: Sequence[Trial]) -> str:
  """Reliability table and AUROC as Markdown.

  Args:
    probabilities: [n], of the held-out trials.
    fits: bool [n], of them.
    trials: all.
  """
  import numpy as np

  from mask2cad_tf.refinement import confidence

  counts = [
    sum(trial.fits for trial in trials if trial.hidden == hidden)
    for hidden in (False, True)
  ]
  area = confidence.auroc(probabilities, fits)
  right = np.mean((probabilities >= 0.5) == fits)
  shown = sum(not trial.hidden for trial in trials)
  lines = [
    f'{shown} objects with their CAD in the gallery, {counts[0]} of them fit; '
    f'{len(trials) - shown} with it hidden, {counts[1]} fit all the same.',
    f'Held out: {len(fits)}, AUROC {area:.3f}, right with the threshold 0.5: '
    f'{right:.3f}',
    '',
    '| probability | n | mean of it | share that fits |',
    '| --- | --- | --- | --- |',
  ]
  for index in range(_BINS):
    low, high = index / _BINS, (index + 1) / _BINS
    inside = (probabilities >= low) & (
      (probabilities < high) | (index == _BINS - 1)
    )
    means = (
      [f'{values[inside].mean():.2f}' for values in (probabilities, fits)]
      if inside.any()
      else ['-', '-']
    )
    lines.append(
      f'| {low:.1f} to {high:.1f} | {inside.sum()} | {" | ".join(means)} |'
    )
  return '\n'.join(lines)


def main(argv: Sequence[str]) -> None:
  """Runs the command with its flags."""
  command_line.require(
    model=_MODEL.value, gallery=_GALLERY.value, records=_RECORDS.value
  )
  command_line.reject(argv[1:])
  print(calibrate())


if __name__ == '__main__':
  command_line.run('mask2cad_tf.calibrate', main, FLAGS)
