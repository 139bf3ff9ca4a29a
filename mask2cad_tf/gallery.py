"""Makes a gallery of CAD models for a model; nothing is retrained.

A library is a folder <class>/<shape>/*.{obj,glb,ply,off}. Each CAD is rendered
at its class's view rotations and embedded by the model's view encoder. The
gallery is replaced only when all went well.

Example:
  python -m mask2cad_tf.gallery build --library=LIB --gallery=G --model=DIR
"""

import json
import os
import sys
from typing import List
from typing import Sequence

from absl import flags

from mask2cad_tf import command_line

FLAGS = flags.FlagValues()  # apart from other commands' flags
_LIBRARY = flags.DEFINE_string(
  'library',
  None,
  'Folder <class>/<shape>/*.{obj,glb,ply,off}.',
  flag_values=FLAGS,
)
_GALLERY = flags.DEFINE_string(
  'gallery', None, 'Folder of the gallery.', flag_values=FLAGS
)
_MODEL = flags.DEFINE_string(
  'model',
  None,
  'Folder with params.yaml and weights. Default: the model of the package.',
  flag_values=FLAGS,
)
_NUM_VIEWS = flags.DEFINE_integer(
  'num_views',
  None,
  "Views a CAD; all of the model's by default.",
  lower_bound=1,
  flag_values=FLAGS,
)
_CAD_LIST = flags.DEFINE_string(
  'cad_list',
  None,
  'FILE:KEY, only the CADs whose ids FILE (JSON) lists under KEY, for example '
  'cads.json:annotated of tfrecords_tools.pix3d.',
  flag_values=FLAGS,
)
_SKIP_BROKEN = flags.DEFINE_bool(
  'skip_broken',
  False,
  'Leave out meshes that cannot be read, by name.',
  flag_values=FLAGS,
)


def main(argv: Sequence[str]) -> None:
  """Runs the verb that the first argument names."""
  if list(argv[1:]) != ['build']:
    raise ValueError(
      f'Expected the verb "build", found {" ".join(argv[1:])!r}. See: '
      'python -m mask2cad_tf.gallery --help'
    )
  command_line.require(
    library=_LIBRARY.value,
    gallery=_GALLERY.value,
    model=_MODEL.value != '',  # None is the package's
  )
  _build()


def _build() -> None:
  # Imported late: --help and wrong flags need no TensorFlow.
  from mask2cad_tf.modeling import model_folder
  from mask2cad_tf.retrieval import gallery_builder

  model, config = model_folder.load(
    _MODEL.value or model_folder.default_folder()
  )
  report = gallery_builder.build(
    model,
    config.task.model,
    _LIBRARY.value,
    _GALLERY.value,
    num_views=_NUM_VIEWS.value,
    cad_ids=_listed_cads(_CAD_LIST.value) if _CAD_LIST.value else None,
    skip_broken=_SKIP_BROKEN.value,
    progress=_show_progress,
  )
  for cad_id, reason in report.broken:
    print(f'left out {cad_id}: {reason}')
  gallery = report.gallery
  print(
    f'{_GALLERY.value}: {len(gallery.cads)} CADs, '
    f'{gallery.embeddings.shape[1]} views each, version {gallery.version}'
  )


def _listed_cads(place: str) -> List[str]:
  """The CAD ids under FILE:KEY."""
  path, _, key = place.rpartition(':')
  if not os.path.isfile(path):
    raise FileNotFoundError(
      f'--cad_list={place}: there is no file {path!r}. Write FILE:KEY, for '
      'example cads.json:annotated.'
    )
  with open(path, encoding='utf-8') as file:
    try:
      content = json.load(file)
    except json.JSONDecodeError as error:
      raise ValueError(f'{path!r} is not JSON: {error}.') from error
  lists = content if isinstance(content, dict) else {}
  if not isinstance(lists.get(key), list):
    raise ValueError(
      f'{path!r} has no list {key!r}; it has {", ".join(lists) or "none"}.'
    )
  return lists[key]


def _show_progress(done: int, total: int, cad_id: str) -> None:
  if sys.stderr.isatty() or done == total or done % 50 == 0:
    end = '\r' if sys.stderr.isatty() and done < total else '\n'
    print(f'{done}/{total} {cad_id:<60.60}', end=end, file=sys.stderr)


if __name__ == '__main__':
  command_line.run('mask2cad_tf.gallery', main, FLAGS)
