r"""Photos to 3D scenes: a CAD, its rotation and translation for each object.

Examples:
  python -m mask2cad_tf.predict --image=room.jpg --output_dir=OUT
  python -m mask2cad_tf.predict --image=rooms/ --output_dir=OUT --resume
  python -m mask2cad_tf.predict --model=DIR --gallery=G --output_dir=OUT \
    --image=room.jpg --image=kitchen.png
  python -m mask2cad_tf.predict --model=DIR --gallery=G --output_dir=OUT \
    --image=room.jpg --focal_length_px=1030 --box=120,80,410,390 --label=chair
  python -m mask2cad_tf.predict --image=room.jpg --output_dir=OUT --ground_plane
  python -m mask2cad_tf.predict --server=grpc://HOST:8500 --image=room.jpg \
    --output_dir=OUT

Writes OUT/<photo>/overlay.png, scene.html, scene.glb and scene.json for every
photo (OUT/<folder>_<photo>/ where two photos share a name). --json prints
{"num_photos", "photos": [{"path", "folder", "objects"}]}, an object with the
"label", "score", "cad_id", "similarity" and "confident" of scene.json.
"""

import sys
from typing import Dict
from typing import List
from typing import NamedTuple
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
from absl import flags

from mask2cad_tf import close_names
from mask2cad_tf import command_line
from mask2cad_tf import conventions
from mask2cad_tf import progress
from mask2cad_tf.scene import photo_paths

FLAGS = flags.FlagValues()  # apart from other commands' flags
_IMAGE = flags.DEFINE_multi_string(
  'image',
  None,
  'A photo (JPEG, PNG, WebP, TIFF, HEIC with pillow-heif), a folder of photos '
  "or a glob ('rooms/*.jpg'); may be given several times.",
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
_DEPTH_MAP = flags.DEFINE_multi_string(
  'depth_map',
  [],
  'Measured depth of a photo, in place of --depth: NPY, Z in units of the '
  'CADs, or 16-bit PNG, thousandths of them. Once for each photo, in order.',
  flag_values=FLAGS,
)
_GROUND_PLANE = flags.DEFINE_boolean(
  'ground_plane',
  False,
  'Scale objects about the camera so that they stand on one ground plane; '
  'their pictures stay. Not those of given depth (--depth, --depth_map), those '
  'that do not stand, or a photo with fewer than two that do.',
  flag_values=FLAGS,
)
_SKIP_BROKEN = flags.DEFINE_boolean(
  'skip_broken',
  False,
  'Leave out photos that do not decode, by name, in place of stopping.',
  flag_values=FLAGS,
)
_RESUME = flags.DEFINE_boolean(
  'resume',
  False,
  'Leave photos alone whose scene is already there.',
  flag_values=FLAGS,
)
_JSON = flags.DEFINE_boolean(
  'json',
  False,
  'Print one JSON object of what was found in place of lines.',
  flag_values=FLAGS,
)
_MIN_SCORE = flags.DEFINE_float(
  'min_score',
  conventions.DEFAULT_MIN_SCORE,
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
_CLOSER_LOOK = flags.DEFINE_boolean(
  'closer_look',
  True,
  'See small objects again, cut out of the photo and enlarged; not by '
  '--server.',
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
  paths = photo_paths.expand(_IMAGE.value)
  _check_flags(len(paths), intrinsics, box)
  folders = photo_paths.output_folders(paths, _OUTPUT_DIR.value)
  _predict(_jobs(folders, intrinsics, box), len(folders), intrinsics, box)


class Job(NamedTuple):
  """A photo to predict: its path, its output folder and what is known of it."""

  path: str
  folder: str
  focal_length_px: Optional[float]
  depth_map: Optional[str]


def _jobs(
  folders: Dict[str, str],
  intrinsics: Optional[Tuple[float, ...]],
  box: Optional[Tuple[float, ...]],
) -> List[Job]:
  """The photos to predict, checked: broken ones are told before any work."""
  from mask2cad_tf.scene import depth_map
  from mask2cad_tf.scene import photo as photo_lib
  from mask2cad_tf.scene import scene_folder

  focal_lengths = _FOCAL_LENGTH_PX.value or [None]
  if len(focal_lengths) == 1:
    focal_lengths = focal_lengths * len(folders)
  depth_maps = _DEPTH_MAP.value or [None] * len(folders)
  jobs = [
    Job(*values)
    for values in zip(folders, folders.values(), focal_lengths, depth_maps)
  ]
  if _RESUME.value:
    jobs = [job for job in jobs if not scene_folder.is_complete(job.folder)]
  sound = []
  for job in jobs:
    try:
      camera = photo_lib.load(job.path, intrinsics).camera
    except ValueError as error:
      if not _SKIP_BROKEN.value:
        raise
      print(f'left out: {error}', file=sys.stderr)
      continue
    if box:
      _check_box(box, job.path, camera.width, camera.height)
    if job.depth_map:
      depth_map.load(job.depth_map, (camera.height, camera.width))
    sound.append(job)
  return sound


def _predict(
  jobs: Sequence[Job],
  num_photos: int,
  intrinsics: Optional[Tuple[float, ...]],
  box: Optional[Tuple[float, ...]],
) -> None:
  """Loads model and gallery, then writes photo by photo."""
  from mask2cad_tf.scene import depth_map
  from mask2cad_tf.scene import photo as photo_lib
  from mask2cad_tf.scene import prediction_summary

  predictor = _predictor(bool(box)) if jobs else None
  label = _label_id(predictor.gallery.class_names) if jobs else None
  written = []
  with progress.Line('predict', len(jobs), 'photos') as line:
    for job in jobs:
      photo = photo_lib.load(job.path, intrinsics, job.focal_length_px)
      measured = (
        depth_map.load(job.depth_map, photo.image.shape[:2])
        if job.depth_map
        else None
      )
      objects = predictor.predict(photo, _DEPTH.value, measured, box, label)
      plane = None
      if _GROUND_PLANE.value:
        objects, plane = predictor.put_on_ground(objects)
      predictor.write(job.folder, photo, objects, plane)
      written.append(prediction_summary.of_photo(job.path, job.folder, objects))
      if not _JSON.value:
        line.say(prediction_summary.line(written[-1]))
      line.add()
  if _JSON.value:
    print(prediction_summary.as_json(written, num_photos))
  elif num_photos > 1:
    print(prediction_summary.last_line(written, num_photos))


def _predictor(any_box: bool):
  """As the flags ask for it."""
  from mask2cad_tf.serving import scene_predictor

  options = {
    'model_dir': _MODEL.value,
    'gallery_dir': _GALLERY.value,
    'min_score': _MIN_SCORE.value,
    'top_k': _TOP_K.value,
    'refine_seconds': _REFINE_SECONDS.value if _REFINE.value else None,
  }
  if _SERVER.value:
    return scene_predictor.connect(
      _SERVER.value, _SERVER_TIMEOUT.value, **options
    )
  return scene_predictor.load(
    search=_SEARCH.value,
    any_box=any_box,
    closer_look=_CLOSER_LOOK.value,
    **options,
  )


def _label_id(class_names: Sequence[str]) -> Optional[int]:
  if not _LABEL.value:
    return None
  if _LABEL.value not in class_names:
    raise ValueError(
      f'--label={_LABEL.value} is no class of the model. Give one of '
      f'{", ".join(class_names)}.{close_names.hint(_LABEL.value, class_names)}'
    )
  return 1 + list(class_names).index(_LABEL.value)


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
  num_photos: int,
  intrinsics: Optional[Tuple[float, ...]],
  box: Optional[Tuple[float, ...]],
) -> None:
  if intrinsics and _FOCAL_LENGTH_PX.value:
    raise ValueError(
      '--intrinsics and --focal_length_px exclude each other. Give one.'
    )
  if len(_FOCAL_LENGTH_PX.value) not in (0, 1, num_photos):
    raise ValueError(
      f'--focal_length_px is given {len(_FOCAL_LENGTH_PX.value)} times for '
      f'{num_photos} photos. Give it once, or once for each photo.'
    )
  if len(_DEPTH_MAP.value) not in (0, num_photos):
    raise ValueError(
      f'--depth_map is given {len(_DEPTH_MAP.value)} times for {num_photos} '
      'photos. Give it once for each photo.'
    )
  if _DEPTH_MAP.value and _DEPTH.value:
    raise ValueError('--depth_map and --depth exclude each other. Give one.')
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
  if FLAGS['closer_look'].present and _CLOSER_LOOK.value and _SERVER.value:
    raise ValueError(
      '--closer_look and --server exclude each other: an exported model sees '
      'the whole photo once. Leave out one of them.'
    )
  if _SEARCH.value != 'exact' and _SERVER.value:
    raise ValueError(
      f'--search={_SEARCH.value} and --server exclude each other: an exported '
      'model searches exactly. Leave out one of them.'
    )
  if box and num_photos > 1:
    raise ValueError(
      f'--box is for one photo, found {num_photos}. '
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


if __name__ == '__main__':
  command_line.run('mask2cad_tf.predict', main, FLAGS)
