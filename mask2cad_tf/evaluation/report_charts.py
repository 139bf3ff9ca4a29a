"""The sections of report.html that are charts of the tables' numbers."""

import math
from typing import Dict
from typing import Optional

import numpy as np

from mask2cad_tf.evaluation import report
from mask2cad_tf.evaluation import report_examples
from mask2cad_tf.evaluation import report_figures
from mask2cad_tf.evaluation import report_page
from mask2cad_tf.evaluation import report_run


def _number(value: Optional[float]) -> str:
  return '-' if value is None else f'{value:.1f}'


def class_bars(run: report_run.Run) -> report_page.Section:
  """Bars of AP by class."""
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
      report_run.chart(
        run,
        report_figures.bars(rows, 'AP, percent'),
        alt,
        caption,
        f'objects: {total}, classes: {len(counts)}',
      )
    )
  missing = '' if with_cads else f'{report_run.NO_CADS} AP^mesh has no bars.'
  if not figures:
    missing = 'This run has no true objects: there is no AP.'
  return report_page.Section(title, missing, figures)


def precision_recall(run: report_run.Run) -> report_page.Section:
  """Precision over recall, by class and their mean."""
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
      report_run.chart(
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
  missing = (
    '' if run.curves.mesh else f'{report_run.NO_CADS} AP^mesh has no curve.'
  )
  if not figures:
    missing = 'This run has no true objects: there is no curve.'
  return report_page.Section('Precision and recall', missing, figures)


def rotations(run: report_run.Run) -> report_page.Section:
  """Histogram of rotation errors on true boxes."""
  title = 'Rotation errors'
  errors = run.curves.rotation_degrees
  if not len(errors):
    return report_page.Section(
      title, f'{report_run.NO_CADS} There is no rotation error.'
    )
  within = int((errors <= 30.0).sum())
  median = float(np.median(errors))
  facts = f'median {median:.1f} degrees, {within} of {len(errors)} within pi/6'
  figure = report_run.chart(
    run,
    report_figures.histogram(errors),
    f'Histogram of rotation errors: {facts}',
    'Angle between predicted and true rotation on true boxes, the smallest '
    f'over the symmetries of the true CAD; {facts}. Further left is better.',
    f'{len(errors)} objects with a CAD',
  )
  return report_page.Section(title, '', [figure])


def oracle(run: report_run.Run) -> report_page.Section:
  """Bars of AP^mesh with true parts (Appendix A)."""
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
    return report_page.Section(
      title, f'{report_run.NO_CADS} There is no AP^mesh.'
    )
  first = 'meshrcnn'
  facts = ', '.join(
    f'{part} {_number(row[first])}' for part, row in rows.items()
  )
  figure = report_run.chart(
    run,
    report_figures.bars(rows, 'AP^mesh, percent'),
    f'Bars of AP^mesh in mode {first}: {facts}',
    'AP^mesh when one predicted part is replaced by the truth (Appendix A): '
    'the longer a bar is than the first one, the more that part costs.',
    f'{len(rows) - 1} parts',
  )
  return report_page.Section(title, '', [figure])


def calibration(run: report_run.Run) -> report_page.Section:
  """Reliability of `confident`."""
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
  figure = report_run.chart(
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
