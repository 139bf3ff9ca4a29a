"""A gallery of CAD models for a model: made, changed, checked; no training.

Examples:
  python -m mask2cad_tf.gallery build --library=LIB --gallery=G --model=DIR
  python -m mask2cad_tf.gallery add --gallery=G --library=MORE --model=DIR
  python -m mask2cad_tf.gallery remove --gallery=G --cad_id=chair/a,chair/b
  python -m mask2cad_tf.gallery list --saved_model=DIR --json
  python -m mask2cad_tf.gallery verify --gallery=G
  python -m mask2cad_tf.gallery diff --gallery=G --other=H

build   renders and embeds each CAD of a library; replaces the gallery
add     embeds the CADs of a library that the gallery does not hold yet
remove  takes CADs out; their meshes go with the next change, as a process that
        has loaded the earlier gallery may still read them
list    the CADs: id, class, views, licence, creator, mesh
verify  checks manifest, content, arrays and every mesh; exit status 1 if
        something is wrong, one line each
diff    CADs that the other gallery has more, less, changed, or alike

All but build also work on an exported SavedModel: --saved_model=DIR in place of
--gallery. CADs are embedded by its own signature `embed_views`, and nothing but
its gallery changes. A gallery is replaced in one step, when all went well.

A library is a folder <class>/<shape>/*.{obj,glb,ply,off}.

--json prints one JSON object: list {"version", "cads"}; verify {"ok",
"faults"}; diff {"added", "removed", "changed", "near_duplicates"}.
"""

import json
import os
import sys
from typing import Any
from typing import Dict
from typing import List
from typing import Optional
from typing import Sequence
from typing import Tuple

from absl import flags

from mask2cad_tf import close_names
from mask2cad_tf import command_line
from mask2cad_tf import packaged_model
from mask2cad_tf.geometry import cad_lists
from mask2cad_tf.retrieval import gallery as gallery_lib

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
_SAVED_MODEL = flags.DEFINE_string(
  'saved_model',
  None,
  'Folder that mask2cad_tf.export wrote: its gallery is meant.',
  flag_values=FLAGS,
)
_OTHER = flags.DEFINE_string(
  'other',
  None,
  'Folder of the gallery to compare with, or of a SavedModel.',
  flag_values=FLAGS,
)
_CAD_ID = flags.DEFINE_multi_string(
  'cad_id',
  [],
  'Id of a CAD, or several with commas between. Repeatable.',
  flag_values=FLAGS,
)
_JSON = flags.DEFINE_bool(
  'json',
  False,
  'list, verify, diff: print one JSON object in place of lines.',
  flag_values=FLAGS,
)
_MODEL = flags.DEFINE_string(
  'model',
  None,
  'Folder with params.yaml and weights. Default: the model of the package; '
  'verify looks at the model only if it is given.',
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
_NUM_PROCESSES = flags.DEFINE_integer(
  'num_processes',
  2,
  'That render while this one embeds; 1: none.',
  lower_bound=1,
  flag_values=FLAGS,
)


def main(argv: Sequence[str]) -> None:
  """Runs the verb that the first argument names."""
  words = list(argv[1:])
  if len(words) != 1 or words[0] not in _VERBS:
    found = ' '.join(words)
    raise ValueError(
      f'Expected one of the verbs {", ".join(_VERBS)}, found {found!r}.'
      f'{close_names.hint(found, _VERBS)} See: python -m mask2cad_tf.gallery '
      '--help'
    )
  verb, (run, known) = words[0], _VERBS[words[0]]
  foreign = [
    f'--{name}' for name in FLAGS if FLAGS[name].present and name not in known
  ]
  if foreign:
    raise ValueError(
      f'{verb} does not know {", ".join(foreign)}; it knows '
      f'{", ".join(f"--{name}" for name in known)}.'
    )
  command_line.require(model=_MODEL.value != '')  # None is the package's
  if verb != 'build' and bool(_GALLERY.value) == bool(_SAVED_MODEL.value):
    raise ValueError(
      f'{verb}: give --gallery=DIR or --saved_model=DIR, one of them.'
    )
  run()


def _build() -> None:
  command_line.require(library=_LIBRARY.value, gallery=_GALLERY.value)
  # Imported late: --help and wrong flags need no TensorFlow.
  from mask2cad_tf.modeling import model_folder
  from mask2cad_tf.retrieval import gallery_builder

  model, config = model_folder.load(_MODEL.value or packaged_model.folder())
  report = gallery_builder.build(
    model,
    config.task.model,
    _LIBRARY.value,
    _GALLERY.value,
    num_views=_NUM_VIEWS.value,
    cad_ids=_wanted_cads(),
    skip_broken=_SKIP_BROKEN.value,
    num_processes=_NUM_PROCESSES.value,
  )
  _print_broken(report.broken)
  _print_state(report.gallery)


def _add() -> None:
  command_line.require(library=_LIBRARY.value)
  if _SAVED_MODEL.value and _MODEL.value:
    raise ValueError(
      '--saved_model embeds CADs by itself; --model goes with --gallery.'
    )
  from mask2cad_tf.retrieval import gallery_changes

  home = _home()
  gallery_lib.load(home.gallery_dir)  # a missing one is told before TensorFlow
  added = gallery_changes.add(
    home,
    _encoder(),
    _LIBRARY.value,
    cad_ids=_wanted_cads(),
    skip_broken=_SKIP_BROKEN.value,
    num_processes=_NUM_PROCESSES.value,
  )
  _print_broken(added.broken)
  for cad_id in added.cad_ids:
    near = added.gallery.near_duplicates(cad_id, gallery_lib.NEAR_DUPLICATE)
    if len(near) > 1:
      others = ', '.join(other for other in near if other != cad_id)
      print(f'{cad_id} looks like {others}')
  _print_state(added.gallery, f'{len(added.cad_ids)} added, ')


def _remove() -> None:
  command_line.require(cad_id=_CAD_ID.value)
  from mask2cad_tf.retrieval import gallery_changes

  cad_ids = [x for value in _CAD_ID.value for x in value.split(',') if x]
  gallery = gallery_changes.remove(_home(), cad_ids)
  _print_state(gallery, f'{len(set(cad_ids))} removed, ')


def _list() -> None:

  gallery = gallery_lib.load(_home().gallery_dir)
  cads = [
    {
      'id': cad.id,
      'class': cad.label_name,
      'views': int(gallery.valid[row].sum()),
      'licence': cad.licence,
      'creator': cad.creator,
      'mesh': cad.mesh,
    }
    for row, cad in enumerate(gallery.cads)
  ]
  if _JSON.value:
    _print_json({'version': gallery.version, 'cads': cads})
    return
  table = [list(cads[0]), *([str(x) for x in cad.values()] for cad in cads)]
  widths = [max(map(len, column)) for column in zip(*table)]
  for line in table:
    print('  '.join(map(str.ljust, line, widths)).rstrip())


def _verify() -> None:
  from mask2cad_tf.retrieval import gallery_checks

  home, encoder = _home(), _encoder() if _MODEL.value else None
  fingerprint = encoder.fingerprint if encoder else None
  if _SAVED_MODEL.value:
    from mask2cad_tf.serving import gallery_assets

    faults = gallery_assets.faults(home.root, fingerprint)
  else:
    class_names = encoder.class_names if encoder else None
    faults = gallery_checks.faults(home.gallery_dir, fingerprint, class_names)
  if _JSON.value:
    _print_json({'ok': not faults, 'faults': faults})
  elif faults:
    print('\n'.join(faults))
  else:
    _print_state(gallery_lib.load(home.gallery_dir), 'no fault, ')
  if faults:
    sys.exit(1)


def _diff() -> None:
  command_line.require(other=_OTHER.value)
  from mask2cad_tf.retrieval import gallery_difference

  other_dir = _OTHER.value
  if os.path.isfile(os.path.join(other_dir, 'saved_model.pb')):
    from mask2cad_tf.serving import gallery_assets

    other_dir = gallery_assets.home(other_dir).gallery_dir
  difference = gallery_difference.compare(
    gallery_lib.load(_home().gallery_dir), gallery_lib.load(other_dir)
  )
  if _JSON.value:
    _print_json(difference.to_json())
    return
  for cad_id in difference.added:
    print(f'added {cad_id}')
  for cad_id in difference.removed:
    print(f'removed {cad_id}')
  for cad_id, names in difference.changed:
    print(f'changed {cad_id}: {", ".join(names)}')
  near = difference.near_duplicates
  for one, two, cosine in near or ():
    print(f'alike {one} and {two} of the other: cosine {cosine:.3f}')
  print(
    f'{len(difference.added)} added, {len(difference.removed)} removed, '
    f'{len(difference.changed)} changed, '
    + ('embeddings do not compare' if near is None else f'{len(near)} alike')
  )


# Verb -> what runs it, the flags that it knows.
_CHANGED = ('gallery', 'saved_model')
_EMBEDDED = ('library', 'model', 'cad_list', 'skip_broken', 'num_processes')
_VERBS = {
  'build': (_build, ('gallery', 'num_views', *_EMBEDDED)),
  'add': (_add, (*_CHANGED, *_EMBEDDED)),
  'remove': (_remove, (*_CHANGED, 'cad_id')),
  'list': (_list, (*_CHANGED, 'json')),
  'verify': (_verify, (*_CHANGED, 'model', 'json')),
  'diff': (_diff, (*_CHANGED, 'other', 'json')),
}


def _home() -> Any:
  """The gallery_changes.Home of the gallery that the flags name."""
  from mask2cad_tf.retrieval import gallery_changes

  if not _SAVED_MODEL.value:
    return gallery_changes.Home(_GALLERY.value)
  from mask2cad_tf.serving import gallery_assets

  return gallery_assets.home(_SAVED_MODEL.value)


def _encoder() -> Any:
  """The gallery_rows.Encoder of the SavedModel, or else of the model."""
  if _SAVED_MODEL.value and not _MODEL.value:
    from mask2cad_tf.serving import gallery_assets

    return gallery_assets.encoder(_SAVED_MODEL.value)
  from mask2cad_tf.modeling import model_folder
  from mask2cad_tf.retrieval import gallery_builder

  model, config = model_folder.load(_MODEL.value or packaged_model.folder())
  return gallery_builder.model_encoder(model, config.task.model)


def _print_json(content: Dict[str, Any]) -> None:
  print(json.dumps(content, indent=1, ensure_ascii=False))


def _print_broken(broken: Sequence[Tuple[str, str]]) -> None:
  for cad_id, reason in broken:
    print(f'left out {cad_id}: {reason}')


def _print_state(gallery: gallery_lib.Gallery, done: str = '') -> None:
  print(
    f'{_SAVED_MODEL.value or _GALLERY.value}: {done}{len(gallery.cads)} CADs, '
    f'{gallery.embeddings.shape[1]} views each, version {gallery.version}'
  )


def _wanted_cads() -> Optional[List[str]]:
  return _CAD_LIST.value and cad_lists.read(_CAD_LIST.value, 'cad_list')


if __name__ == '__main__':
  command_line.run('mask2cad_tf.gallery', main, FLAGS)
