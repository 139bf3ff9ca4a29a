"""Writes a SavedModel: photo bytes in, CADs and poses out; gallery included.

Examples:
  python -m mask2cad_tf.export --export_dir=OUT
  python -m mask2cad_tf.export --model=DIR --gallery=G --export_dir=OUT
  python -m mask2cad_tf.export --min_score=0 --export_dir=OUT   # all, slower

Signatures: `serving_default` (image_bytes), `serve_with_intrinsics`
(image_bytes, intrinsics) and `embed_views` (views). TensorFlow Serving warms
the model up with the requests in assets.extra. Its gallery can be changed:
python -m mask2cad_tf.gallery add --saved_model=OUT --library=LIB
"""

from typing import Sequence

from absl import flags

from mask2cad_tf import command_line
from mask2cad_tf import conventions

FLAGS = flags.FlagValues()  # apart from other commands' flags
_MODEL = flags.DEFINE_string(
  'model',
  None,
  'Folder with params.yaml and weights. Default: the model of the package.',
  flag_values=FLAGS,
)
_GALLERY = flags.DEFINE_string(
  'gallery',
  None,
  'Folder that mask2cad_tf.gallery made for the model. Default: the one that '
  "comes with it, as the packaged model's does.",
  flag_values=FLAGS,
)
_EXPORT_DIR = flags.DEFINE_string(
  'export_dir', None, 'SavedModel to write or to replace.', flag_values=FLAGS
)
_TOP_K = flags.DEFINE_integer(
  'top_k', 5, 'CADs returned per detection.', lower_bound=1, flag_values=FLAGS
)
_DTYPE = flags.DEFINE_enum(
  'dtype',
  'float32',
  ['float32', 'bfloat16'],
  'Arithmetic of the network; weights and outputs stay float32.',
  flag_values=FLAGS,
)
_MASKS = flags.DEFINE_enum(
  'masks',
  'roi',
  ['roi', 'pasted'],
  'roi: probabilities inside detection_outer_boxes. pasted: 0 or 1, in the '
  "photo as resized to the network's input; mask_scales has its scale.",
  flag_values=FLAGS,
)
_MIN_SCORE = flags.DEFINE_float(
  'min_score',
  conventions.DEFAULT_MIN_SCORE,
  'Detections below are left out, and so is the work for them. 0: all that the '
  'detector finds.',
  0.0,
  1.0,
  flag_values=FLAGS,
)


def main(argv: Sequence[str]) -> None:
  """Loads model and gallery, writes the SavedModel, then moves it in place."""
  command_line.require(
    model=_MODEL.value != '',  # None is the package's
    gallery=_GALLERY.value != '',
    export_dir=_EXPORT_DIR.value,
  )
  command_line.reject(argv[1:])
  # Imported late: --help and wrong flags need no TensorFlow.
  import tensorflow as tf

  from mask2cad_tf.data import atomic_folder
  from mask2cad_tf.modeling import model_folder
  from mask2cad_tf.retrieval import default_gallery
  from mask2cad_tf.retrieval import gallery as gallery_lib
  from mask2cad_tf.retrieval import gallery_builder
  from mask2cad_tf.serving import gallery_assets
  from mask2cad_tf.serving import mask2cad_module
  from mask2cad_tf.serving import warmup

  if _DTYPE.value == 'bfloat16':
    tf.keras.mixed_precision.set_global_policy('mixed_bfloat16')
  model_dir, gallery_dir = default_gallery.choose(_MODEL.value, _GALLERY.value)
  model, config = model_folder.load(model_dir)
  gallery = gallery_lib.load(
    gallery_dir, model_folder.fingerprint(model), config.task.model.class_names
  )
  module = mask2cad_module.Mask2CADModule(
    model,
    config.task,
    gallery,
    _TOP_K.value,
    pasted_masks=_MASKS.value == 'pasted',
    min_score=_MIN_SCORE.value,
  )
  with atomic_folder.replacing(_EXPORT_DIR.value, 'saved_model.pb') as folder:
    gallery_assets.save(
      module,
      gallery,
      gallery_builder.model_encoder(model, config.task.model),
      folder,
    )
    warmup.write(folder)
  print(
    f'{_EXPORT_DIR.value}: SavedModel with {len(gallery.cads)} CADs, '
    f'gallery version {gallery.version}'
  )


if __name__ == '__main__':
  command_line.run('mask2cad_tf.export', main, FLAGS)
