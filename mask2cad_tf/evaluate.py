r"""Model and image records -> the paper's tables.

Examples:
  python -m mask2cad_tf.evaluate --model=runs/pix3d_s1 --gallery=gallery \
    --records='records/test/images*' --output_dir=runs/pix3d_s1/evaluation
  python -m mask2cad_tf.evaluate --ground_truth --library=pix3d/model \
    --records='records/test/images*' --output_dir=runs/ground_truth

Writes tables.md and tables.json; with --report also report.html, one page with
charts, the best and worst photos and what was retrieved, and projector/, the
embeddings for TensorBoard. --ground_truth feeds the ground truth back in place
of a model, which proves data and metric (AP^mesh 100).
"""

import dataclasses
import os
import time
from typing import Any
from typing import Dict
from typing import NamedTuple
from typing import Sequence

from absl import flags

import mask2cad_tf
from mask2cad_tf import command_line
from mask2cad_tf import progress
from mask2cad_tf.evaluation import options as options_lib

FLAGS = flags.FlagValues()  # apart from other commands' flags

flags.DEFINE_string(
  'model',
  '',
  'Folder of the model. Default: the model of the package.',
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'gallery',
  '',
  'Folder that mask2cad_tf.gallery made for the model. Default: the one that '
  "comes with it, as the packaged model's does.",
  flag_values=FLAGS,
)
flags.DEFINE_string('records', '', 'Image records, a glob.', flag_values=FLAGS)
flags.DEFINE_string(
  'output_dir', '', 'Folder for tables and report.', flag_values=FLAGS
)
flags.DEFINE_string(
  'library',
  '',
  "CAD library of the true meshes. Default: the gallery's "
  'meshes are the true ones.',
  flag_values=FLAGS,
)
flags.DEFINE_boolean(
  'ground_truth', False, 'Evaluate the ground truth itself.', flag_values=FLAGS
)
flags.DEFINE_boolean(
  'true_boxes',
  False,
  'Give the true boxes and classes to the model.',
  flag_values=FLAGS,
)
flags.DEFINE_boolean(
  'detections_only',
  False,
  'Leave out what is measured on true boxes (retrieval, rotation, masks, '
  'shapes): about half of the time.',
  flag_values=FLAGS,
)
flags.DEFINE_boolean(
  'refine',
  False,
  'Render the candidates, compare them with the photo, refine their poses.',
  flag_values=FLAGS,
)
flags.DEFINE_float(
  'refine_seconds',
  2.0,
  'Work of --refine, an object: about so much of one core.',
  lower_bound=0.0,
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'refine_objects',
  5,
  'Detections of a photo that are refined, those of highest score; true '
  'boxes all are.',
  lower_bound=1,
  flag_values=FLAGS,
)
flags.DEFINE_boolean(
  'closer_look',
  True,
  'See small objects again, cut out of the photo and enlarged.',
  flag_values=FLAGS,
)
flags.DEFINE_boolean(
  'true_masks',
  False,
  'On true boxes, --refine compares with the true masks.',
  flag_values=FLAGS,
)
flags.DEFINE_boolean(
  'training_free',
  False,
  "Baseline: CADs and rotations by ImageNet features of the gallery's views "
  'and of crops cut out by the mask, in place of the trained embedding.',
  flag_values=FLAGS,
)
flags.DEFINE_enum(
  'search',
  'exact',
  ['exact', 'approximate'],
  'How the CADs of the gallery are found. approximate: for galleries of '
  "millions of views; needs faiss, pip install 'mask2cad-tf[ann]'.",
  flag_values=FLAGS,
)
flags.DEFINE_enum(
  'depth_mode',
  'origin',
  ['origin', 'mid_range', 'box_fit'],
  "The depth given to the model: z of the true CAD's origin, or the middle "
  'of the true depth range (Mesh R-CNN). box_fit gives none: it is fitted to '
  'the box.',
  flag_values=FLAGS,
)
flags.DEFINE_float(
  'f1_distance',
  0.3,
  'Threshold of F1 in AP^mesh (ScanNet: 0.5).',
  lower_bound=1e-9,
  flag_values=FLAGS,
)
flags.DEFINE_integer(
  'seed', 0, 'Of the points on the surfaces.', flag_values=FLAGS
)

flags.DEFINE_boolean(
  'report',
  False,
  'Write report.html as well: charts, best and worst photos, neighbours.',
  flag_values=FLAGS,
)

_NUM_CANDIDATES = 10  # CADs per object: retrieval is measured to top-10


def evaluate(options: options_lib.Options) -> Dict[str, Any]:
  """Evaluates and writes the tables.

  Args:
    options: what to evaluate, and how.

  Returns:
    The content of tables.json.

  Raises:
    FileNotFoundError, FileExistsError, ValueError: bad input; nothing is
      written.
  """
  options.check()
  # Here, not above: --help and wrong flags must answer at once.
  from mask2cad_tf.data import record_files
  from mask2cad_tf.evaluation import benchmark as benchmark_lib
  from mask2cad_tf.evaluation import canonical_shape_evaluator
  from mask2cad_tf.evaluation import photo_records
  from mask2cad_tf.evaluation import report
  from mask2cad_tf.evaluation import surface_comparison

  start = time.time()
  comparison = surface_comparison.SurfaceComparison(seed=options.seed)
  subject = (
    _open_ground_truth(options)
    if options.ground_truth
    else _open_model(options, comparison)
  )
  examples = _examples(options, subject, comparison) if options.report else None
  benchmark = benchmark_lib.Benchmark(
    comparison,
    canonical_shape_evaluator.CanonicalShapeEvaluator(seed=options.seed),
    subject.class_names,
    subject.true_cads.symmetry_order,
    f1_distance=options.f1_distance,
    oracles=options.oracles,
    observer=examples,
  )
  total = record_files.count(record_files.match(options.records))
  with progress.Line('evaluate', total, 'photos') as line:
    for photo in photo_records.read(
      options.records, subject.true_cads.find_mesh
    ):
      on_true_boxes = None
      if not options.detections_only:
        on_true_boxes = subject.predictor.on_true_boxes(photo)
      benchmark.add(
        photo,
        on_true_boxes
        if options.true_boxes
        else subject.predictor.detections(photo),
        on_true_boxes,
      )
      line.add()
  result = benchmark.result()
  if not result['num_photos']:
    raise ValueError(
      f'No photo in {options.records!r}: write the records again with '
      'python -m tfrecords_tools.pix3d'
    )
  content = report.tables(
    result,
    {
      **options.about(subject.gallery),
      'package_version': mask2cad_tf.__version__,
      'seconds': round(time.time() - start, 1),
    },
  )
  report.write(options.output_dir, content)
  if examples is not None:
    _write_report(options, content, benchmark.curves(), examples, subject)
  return content


class _Subject(NamedTuple):
  """What is evaluated.

  Attributes:
    predictor: evaluation.predictors.Predictor.
    true_cads: evaluation.true_cads.TrueCads.
    class_names: of labels 1, 2, ...
    gallery: retrieval.gallery.Gallery; None: the ground truth needs none.
  """

  predictor: Any
  true_cads: Any
  class_names: Sequence[str]
  gallery: Any = None


def _open_ground_truth(options: options_lib.Options) -> _Subject:
  from mask2cad_tf.evaluation import photo_records
  from mask2cad_tf.evaluation import predictors
  from mask2cad_tf.evaluation import true_cads

  return _Subject(
    predictors.GroundTruth(),
    true_cads.TrueCads(options.library, {}, {}),
    photo_records.class_names(options.records),
  )


def _open_model(options: options_lib.Options, comparison: Any) -> _Subject:
  from mask2cad_tf.evaluation import given_depth
  from mask2cad_tf.evaluation import predicted_cads
  from mask2cad_tf.evaluation import predictors
  from mask2cad_tf.evaluation import true_cads
  from mask2cad_tf.modeling import model_folder
  from mask2cad_tf.retrieval import approximate_search
  from mask2cad_tf.retrieval import gallery as gallery_lib
  from mask2cad_tf.scene import masks
  from mask2cad_tf.serving import closer_look
  from mask2cad_tf.serving import detection_refiner
  from mask2cad_tf.serving import mask2cad_module
  from mask2cad_tf.serving import training_free

  model, config = model_folder.load(options.model)
  task = config.task
  class_names = tuple(config.task.model.class_names)
  gallery = gallery_lib.load(
    options.gallery, model_folder.fingerprint(model), class_names
  )
  searcher = approximate_search.make(
    options.search, gallery, task.model.retrieval
  )
  module = mask2cad_module.Mask2CADModule(
    model, task, gallery, top_k=_NUM_CANDIDATES, searcher=searcher
  )
  if options.closer_look:
    module = closer_look.CloserLook(module)
  if options.training_free:
    module = training_free.TrainingFreeModule(
      module, gallery, model, task.model, _NUM_CANDIDATES
    )
  refinement = None
  if options.refine:
    refinement = detection_refiner.DetectionRefiner.of_encoder(
      model.view_encoder, task.model, gallery, options.refine_seconds
    )
  reader = predicted_cads.OutputReader(
    gallery.mesh_path,
    given_depth.GivenDepth(comparison, options.depth_mode),
    masks.paste,
  )
  true = true_cads.TrueCads(
    options.library,
    {cad.id: gallery.mesh_path(cad.id) for cad in gallery.cads},
    {cad.id: cad.symmetry for cad in gallery.cads},
  )
  predictor = predictors.Model(
    module, reader, refinement, options.true_masks, options.refine_objects
  )
  return _Subject(predictor, true, class_names, gallery)


def _examples(
  options: options_lib.Options, subject: _Subject, comparison: Any
) -> Any:
  """Collects what report.html shows."""
  from mask2cad_tf.evaluation import report_examples
  from mask2cad_tf.refinement import confidence

  judge = confidence.load(options.model) if options.refine else None
  return report_examples.Examples(
    comparison,
    subject.class_names,
    options.f1_distance,
    None if judge is None else judge.probability,
    options.seed,
  )


def _write_report(
  options: options_lib.Options,
  content: Dict[str, Any],
  curves: Any,
  examples: Any,
  subject: _Subject,
) -> None:
  """Writes report.html, projector/ out of what the run has left."""
  from mask2cad_tf.evaluation import embedding_projector
  from mask2cad_tf.evaluation import report_page
  from mask2cad_tf.evaluation import report_run
  from mask2cad_tf.evaluation import report_sections
  from mask2cad_tf.scene import cad_overlay

  def draw_overlay(example: Any) -> Any:
    return cad_overlay.draw(
      example.image,
      example.intrinsics,
      example.cad,
      subject.class_names[example.cad.label - 1],
      example.similarity,
      example.confidence,
    )

  if subject.gallery is not None:
    embedding_projector.write(
      os.path.join(options.output_dir, embedding_projector.FOLDER),
      embedding_projector.points(examples, subject.gallery, options.seed),
    )
  report_page.write(
    options.output_dir,
    report_sections.html(
      report_run.Run(
        content,
        curves,
        examples,
        subject.gallery,
        draw_overlay,
        options.refine,
        options.seed,
      )
    ),
  )


def _options() -> options_lib.Options:
  """The flags; model and gallery are the package's where none is given."""
  options = options_lib.Options(
    **{
      field.name: FLAGS[field.name].value
      for field in dataclasses.fields(options_lib.Options)
    }
  )
  if options.ground_truth or not (options.records and options.output_dir):
    return options
  from mask2cad_tf.retrieval import default_gallery

  model, gallery = default_gallery.choose(options.model, options.gallery)
  return dataclasses.replace(options, model=model, gallery=gallery)


def main(argv: Sequence[str]) -> None:
  """Evaluates what the flags say, prints the APs and where the tables are."""
  command_line.reject(argv[1:])
  content = evaluate(_options())
  rows = {f'AP^mesh {mode}': row for mode, row in content['mesh_ap'].items()}
  rows.update({'AP^box': content['box_ap'], 'AP^mask': content['mask_ap']})
  for title, row in rows.items():
    score = 'no true objects' if row['AP'] is None else f'{row["AP"]:.1f}'
    print(f'{title}: {score}')
  print(f'Tables: {os.path.join(FLAGS.output_dir, "tables.md")}')
  if FLAGS.report:
    print(f'Report: {os.path.join(FLAGS.output_dir, "report.html")}')


if __name__ == '__main__':
  command_line.run('mask2cad_tf.evaluate', main, FLAGS)
