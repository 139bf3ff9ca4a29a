r"""Photos to 3D scenes: a CAD, its rotation and translation for each object.

Writes OUT/<photo>/overlay.png, scene.html, scene.glb and scene.json for every
photo (OUT/<folder>_<photo>/ where two photos share a name).

Example:
  python -m mask2cad_tf.predict --image=room.jpg --output_dir=OUT
  python -m mask2cad_tf.predict --model=DIR --gallery=G --output_dir=OUT \
    --image=room.jpg --image=kitchen.png
  python -m mask2cad_tf.predict --model=DIR --gallery=G --output_dir=OUT \
    --image=room.jpg --focal_length_px=1030 --box=120,80,410,390 --label=chair
  python -m mask2cad_tf.predict --server=grpc://HOST:8500 --image=room.jpg \
    --output_dir=OUT
"""

import os
from typing import Dict
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
from absl import flags

from mask2cad_tf import command_line

FLAGS = flags.FlagValues()  # apart from other commands' flags
_IMAGE = flags.DEFINE_multi_string(
  'image',
  None,
  'A photo, JPEG or PNG; may be given several times.',
  flag_values=FLAGS,
)
_OUTPUT_DIR = flags.DEFINE_string(
  'output_dir',
  None,
  'Folder that receives a folder per photo.',
  flag_values=FLAGS,
)
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
_FOCAL_LENGTH_PX = flags.DEFINE_multi_float(
  'focal_length_px',
  [],
  'Focal length, pixels; once for all photos, or once for each --image, in '
  'their order. Default: from EXIF, else that of a phone, 27 mm in terms of a '
  "35 mm camera (0.62 of the photo's diagonal).",
  lower_bound=1e-3,
  flag_values=FLAGS,
)
_INTRINSICS = flags.DEFINE_list(
  'intrinsics',
  None,
  'fx,fy,cx,cy, pixels; in place of --focal_length_px.',
  flag_values=FLAGS,
)
_DEPTH = flags.DEFINE_float(
  'depth',
  None,
  "Distance z of every object's origin, units of the CADs. "
  'Default: where the CAD fits the box.',
  lower_bound=1e-9,
  flag_values=FLAGS,
)
_MIN_SCORE = flags.DEFINE_float(
  'min_score',
  0.5,
  'Detections below are left out.',
  0.0,
  1.0,
  flag_values=FLAGS,
)
_TOP_K = flags.DEFINE_integer(
  'top_k', 5, 'CADs tried per object.', lower_bound=1, flag_values=FLAGS
)
_REFINE = flags.DEFINE_boolean(
  'refine',
  True,
  'Render the candidates, compare them with the photo, refine their poses.',
  flag_values=FLAGS,
)
_REFINE_SECONDS = flags.DEFINE_float(
  'refine_seconds',
  2.0,
  'Work of --refine, an object: about so much of one core.',
  lower_bound=0.0,
  flag_values=FLAGS,
)
_BOX = flags.DEFINE_list(
  'box',
  None,
  'x0,y0,x1,y1, pixels: where the object is; one photo only. '
  'Detection is skipped.',
  flag_values=FLAGS,
)
_LABEL = flags.DEFINE_string(
  'label',
  None,
  'Class of the --box; predicted where it is not given.',
  flag_values=FLAGS,
)
_SEARCH = flags.DEFINE_enum(
  'search',
  'exact',
  ['exact', 'approximate'],
  'How the CADs of the gallery are found. approximate: for galleries of '
  "millions of views; needs faiss, pip install 'mask2cad-tf[ann]'.",
  flag_values=FLAGS,
)
_SERVER = flags.DEFINE_string(
  'server',
  None,
  'Server of the exported model, in place of running it here: '
  'grpc://HOST:PORT, HOST:PORT or http://HOST:PORT[/v1/models/NAME]. --model '
  'and --gallery are those that were exported; --refine and the rest are done '
  'here.',
  flag_values=FLAGS,
)
_SERVER_TIMEOUT = flags.DEFINE_float(
  'server_timeout',
  60.0,
  "Seconds for the server's answer.",
  lower_bound=1e-3,
  flag_values=FLAGS,
)


def main(argv: Sequence[str]) -> None:
  """Checks all input, then predicts photo by photo."""
  command_line.require(
    image=_IMAGE.value,
    output_dir=_OUTPUT_DIR.value,
    model=_MODEL.value != '',  # None is the package's
    gallery=_GALLERY.value != '',
    server=_SERVER.value != '',
  )
  command_line.reject(argv[1:])
  intrinsics = _numbers('intrinsics', _INTRINSICS.value, 'fx,fy,cx,cy')
  box = _numbers('box', _BOX.value, 'x0,y0,x1,y1')
  _check_flags(intrinsics, box)
  folders = _output_folders(_IMAGE.value, _OUTPUT_DIR.value)
  _predict(folders, intrinsics, box)


def _predict(
  folders: Dict[str, str],
  intrinsics: Optional[Tuple[float, ...]],
  box: Optional[Tuple[float, ...]],
) -> None:
  """Checks photos, model and gallery, then writes photo by photo."""
  # Imported late: --help and wrong flags need no TensorFlow.
  from mask2cad_tf.scene import photo as photo_lib

  for path in folders:
    camera = photo_lib.load(path, intrinsics).camera
    if box:
      _check_box(box, path, camera.width, camera.height)

  import mask2cad_tf
  from mask2cad_tf.refinement import confidence
  from mask2cad_tf.retrieval import default_gallery
  from mask2cad_tf.scene import assemble
  from mask2cad_tf.scene import cad_meshes
  from mask2cad_tf.scene import distinct
  from mask2cad_tf.scene import scene_folder

  FLAGS.model, FLAGS.gallery = default_gallery.choose(
    _MODEL.value, _GALLERY.value
  )
  # The class of a --box may be that of a detection with a low score.
  module, gallery, refiner = (
    _connect()
    if _SERVER.value
    else _load_module(0.0 if box else _MIN_SCORE.value)
  )
  label = _label_id(gallery.class_names)
  judge = confidence.load(_MODEL.value)
  cads = cad_meshes.CadMeshes(gallery.mesh_path, gallery.credit)
  origin = {
    'name': os.path.basename(os.path.abspath(_MODEL.value)),
    'gallery_version': gallery.version,
    'package_version': mask2cad_tf.__version__,
    **({'server': module.address} if _SERVER.value else {}),
  }
  focal_lengths = _FOCAL_LENGTH_PX.value or [None]
  if len(focal_lengths) == 1:
    focal_lengths = focal_lengths * len(folders)
  for (path, folder), focal in zip(folders.items(), focal_lengths):
    photo = photo_lib.load(path, intrinsics, focal)
    detections = distinct.choose(
      _infer(module, photo, box, label),
      0.0 if box else _MIN_SCORE.value,
      photo.image.shape[:2],
    )
    objects = assemble.assemble(
      detections,
      gallery,
      cads,
      photo.camera,
      depth=_DEPTH.value,
      hypotheses=_refine(refiner, photo, detections, bool(box)),
      judge=judge,
    )
    scene_folder.write(folder, photo, objects, cads, origin)
    names = ', '.join(
      f'{found.cad.cad_id} ({found.similarity:.2f})' for found in objects
    )
    print(f'{folder}: {names or "no object; see --min_score"}')


def _refine(
  refiner, photo, detections: Dict[str, np.ndarray], exact_boxes: bool
):
  """Hypotheses of each detection; None without --refine."""
  if refiner is None:
    return None
  depths = [_DEPTH.value] * int(detections['num_detections'])
  return refiner.refine(
    photo.image,
    photo.camera.intrinsics,
    detections,
    depths,
    _TOP_K.value,
    exact_boxes=exact_boxes,
  )


def _load_module(min_score: float):
  """The inference path, its gallery, and the refiner, if asked for."""
  from mask2cad_tf.modeling import model_folder
  from mask2cad_tf.retrieval import approximate_search
  from mask2cad_tf.retrieval import gallery as gallery_lib
  from mask2cad_tf.serving import detection_refiner
  from mask2cad_tf.serving import mask2cad_module

  gallery_lib.load(_GALLERY.value)  # a missing one is told before TensorFlow
  model, config = model_folder.load(_MODEL.value)
  gallery = gallery_lib.load(
    _GALLERY.value,
    model_folder.fingerprint(model),
    config.task.model.class_names,
  )
  module = mask2cad_module.Mask2CADModule(
    model,
    config.task,
    gallery,
    _TOP_K.value,
    min_score=min_score,
    searcher=approximate_search.make(_SEARCH.value, gallery),
  )
  refiner = None
  if _REFINE.value:
    refiner = detection_refiner.DetectionRefiner.of_encoder(
      model.view_encoder, config.task.model, gallery, _REFINE_SECONDS.value
    )
  return module, gallery, refiner


def _connect():
  """As `_load_module`, of a served model: the network is not built here."""
  from mask2cad_tf.retrieval import gallery as gallery_lib
  from mask2cad_tf.serving import client
  from mask2cad_tf.serving import served_module

  gallery = gallery_lib.load(_GALLERY.value)  # told before TensorFlow
  try:
    connection = client.connect(_SERVER.value, _SERVER_TIMEOUT.value)
  except ImportError as error:
    raise ValueError(f'--server={_SERVER.value}: {error}') from error
  refiner = None
  if _REFINE.value:
    from mask2cad_tf.modeling import model_folder
    from mask2cad_tf.serving import detection_refiner

    encoder, config = model_folder.load_view_encoder(_MODEL.value)
    gallery = gallery_lib.load(
      _GALLERY.value,
      model_folder.encoder_fingerprint(encoder),
      config.task.model.class_names,
    )
    refiner = detection_refiner.DetectionRefiner.of_encoder(
      encoder, config.task.model, gallery, _REFINE_SECONDS.value
    )
  module = served_module.ServedModule(connection, gallery, _TOP_K.value)
  return module, gallery, refiner


def _label_id(class_names: Sequence[str]) -> Optional[int]:
  if not _LABEL.value:
    return None
  if _LABEL.value not in class_names:
    raise ValueError(
      f'--label={_LABEL.value} is no class of {_MODEL.value!r}. Give one of '
      f'{", ".join(class_names)}.'
    )
  return 1 + list(class_names).index(_LABEL.value)


def _infer(
  module, photo, box: Optional[Tuple[float, ...]], label: Optional[int]
) -> Dict[str, np.ndarray]:
  """The module's outputs of one photo, without the batch axis."""
  if _SERVER.value:
    return module.predict(photo)
  if box:
    x0, y0, x1, y1 = box
    outputs = module.predict_boxes(
      photo.image,
      photo.camera.intrinsics,
      np.array([[y0, x0, y1, x1]]),
      np.array([label]) if label else None,
    )
  else:
    outputs = module.predict(photo.image, photo.camera.intrinsics)
  outputs = {key: value.numpy()[0] for key, value in outputs.items()}
  if box and not outputs['num_detections']:
    raise ValueError(
      f'The class of --box in {photo.path!r} cannot be told: no detection '
      'overlaps it. Say it: --label=chair, for example.'
    )
  return outputs


def _numbers(
  flag: str, values: Optional[List[str]], form: str
) -> Optional[Tuple[float, ...]]:
  """Four numbers of a flag, or None where it is not given."""
  if values is None:
    return None
  try:
    numbers = tuple(map(float, values))
  except ValueError:
    numbers = ()
  if len(numbers) != 4:
    raise ValueError(
      f'--{flag}={",".join(values)}: expected four numbers, --{flag}={form}.'
    )
  return numbers


def _check_flags(
  intrinsics: Optional[Tuple[float, ...]], box: Optional[Tuple[float, ...]]
) -> None:
  if intrinsics and _FOCAL_LENGTH_PX.value:
    raise ValueError(
      '--intrinsics and --focal_length_px exclude each other. Give one.'
    )
  if len(_FOCAL_LENGTH_PX.value) not in (0, 1, len(_IMAGE.value)):
    raise ValueError(
      f'--focal_length_px is given {len(_FOCAL_LENGTH_PX.value)} times for '
      f'{len(_IMAGE.value)} photos. Give it once, or once for each --image.'
    )
  if intrinsics and not (
    min(intrinsics[:2]) > 0 and np.isfinite(intrinsics).all()
  ):
    raise ValueError(
      '--intrinsics: all must be finite, fx and fy must be positive, found '
      f'{",".join(map(str, intrinsics))}.'
    )
  if box and _SERVER.value:
    raise ValueError(
      '--box and --server exclude each other: an exported model looks for the '
      'objects itself. Leave out --server to run the model here.'
    )
  if _SEARCH.value != 'exact' and _SERVER.value:
    raise ValueError(
      f'--search={_SEARCH.value} and --server exclude each other: an exported '
      'model searches exactly. Leave out one of them.'
    )
  if box and len(_IMAGE.value) > 1:
    raise ValueError(
      f'--box is for one photo, found {len(_IMAGE.value)}. '
      'Call the command once per photo.'
    )
  if _LABEL.value and not box:
    raise ValueError('--label names the class of a --box. Give --box as well.')


def _check_box(
  box: Tuple[float, ...], path: str, width: int, height: int
) -> None:
  x0, y0, x1, y1 = box
  if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
    raise ValueError(
      f'--box={",".join(f"{v:g}" for v in box)} does not lie in {path!r}, '
      f'{width} x {height} pixels. Give x0,y0,x1,y1 with 0 <= x0 < x1 <= '
      f'{width}, 0 <= y0 < y1 <= {height}.'
    )


def _output_folders(paths: Sequence[str], output_dir: str) -> Dict[str, str]:
  """The output folder of every photo: its stem, or <parent>_<stem>."""

  def stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]

  def full(path: str) -> str:
    parent = os.path.basename(os.path.dirname(os.path.abspath(path)))
    return f'{parent}_{stem(path)}'

  stems = [stem(path) for path in paths]
  names = [
    full(path) if stems.count(stem(path)) > 1 else stem(path) for path in paths
  ]
  clash = sorted({name for name in names if names.count(name) > 1})
  if clash:
    raise ValueError(
      f'Two photos would both write {clash[0]!r} in {output_dir!r}. Rename '
      'one or call the command once per photo.'
    )
  return {
    path: os.path.join(output_dir, name) for path, name in zip(paths, names)
  }


if __name__ == '__main__':
  command_line.run('mask2cad_tf.predict', main, FLAGS)
