"""A collection of CADs -> a library: one layout, measured, with a manifest.

Example:
  python -m tfrecords_tools.cad_library --source=sweethome3d --output_dir=LIB

--source says what --input is:
  sweethome3d  .sh3f files, the program's jar, .deb packages, or a folder of
               them (comma-separated); nothing: apt-get download fetches both
               Debian packages
  pix3d        Pix3D's model/ folder; files are copied byte by byte, since poses
               refer to the vertices as they are stored
  shapenet     the folder of ShapeNetCore v2's synsets
  folder       <class>/<shape>/*.{obj,glb,ply,off}: +y up, fronts towards -z

--only and --leave_out split a collection, for a model to be measured on CADs
that it never saw; tfrecords_tools/cad_sources/sweethome3d_held_out.json has the
40 that train_lite leaves out.

Writes <output_dir>/<class>/<shape>/<mesh>, manifest.json, contact_sheet.png.
"""

import os
import sys
import tempfile
from typing import List
from typing import Mapping
from typing import Optional
from typing import Sequence
from typing import Set

from absl import flags

from mask2cad_tf import close_names
from mask2cad_tf import command_line
from mask2cad_tf import conventions
from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.geometry import cad_lists
from tfrecords_tools.cad_sources import furniture_archives
from tfrecords_tools.cad_sources import furniture_classes
from tfrecords_tools.cad_sources import library_writer
from tfrecords_tools.cad_sources import mesh_folders
from tfrecords_tools.cad_sources import shapenet
from tfrecords_tools.cad_sources import source_cad
from tfrecords_tools.cad_sources import sweethome3d

SOURCES = ('sweethome3d', 'pix3d', 'shapenet', 'folder')

FLAGS = flags.FlagValues()
flags.DEFINE_enum(
  'source',
  None,
  SOURCES,
  'What the collection is.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'input',
  '',
  'The collection; may be left out for sweethome3d.',
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'output_dir',
  None,
  'Folder for the library, new or to be replaced.',
  required=True,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'clutter_dir',
  '',
  'sweethome3d: folder for small things of no class (lamps, plants, books, '
  'crockery, electronics), for --clutter of synthesize.',
  flag_values=FLAGS,
)
flags.DEFINE_list(
  'classes', [], 'Take these classes only, comma-separated.', flag_values=FLAGS
)
flags.DEFINE_string(
  'only',
  '',
  'FILE:KEY: only the CADs whose ids FILE (JSON) lists under KEY.',
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'leave_out',
  '',
  'FILE:KEY: CADs that stay out, for a model to be measured on them.',
  flag_values=FLAGS,
)
flags.DEFINE_float(
  'metres_per_unit',
  0.0,
  'folder: how long a unit of the meshes is; 0 when sizes are arbitrary.',
  lower_bound=0.0,
  flag_values=FLAGS,
)
flags.DEFINE_string(
  'licence', '', 'folder: licence of every CAD.', flag_values=FLAGS
)
flags.DEFINE_string(
  'creator', '', 'folder: creator of every CAD.', flag_values=FLAGS
)
flags.DEFINE_integer(
  'num_processes', 2, 'Processes that work.', lower_bound=1, flag_values=FLAGS
)
flags.DEFINE_boolean(
  'skip_broken',
  False,
  'Leave out CADs that cannot be read and list them, instead of stopping at '
  'the first. sweethome3d always does.',
  flag_values=FLAGS,
)


def build(
  source: str,
  input_path: str,
  output_dir: str,
  clutter_dir: str = '',
  class_names: Optional[Sequence[str]] = None,
  metres_per_unit: float = 0.0,
  licence: str = '',
  creator: str = '',
  num_processes: int = 2,
  skip_broken: bool = False,
  only: str = '',
  leave_out: str = '',
) -> library_writer.Report:
  """Builds a library; output folders change only when all went well.

  Args:
    source: one of SOURCES.
    input_path: the collection; '' fetches Sweet Home 3D's Debian packages.
    output_dir: the library, new or to be replaced.
    clutter_dir: Sweet Home 3D: where small things of no class go, '' nowhere.
    class_names: the classes to take; None or empty takes all.
    metres_per_unit: of a plain folder's meshes, 0 for arbitrary sizes.
    licence: of a plain folder's CADs.
    creator: of a plain folder's CADs.
    num_processes: how many work; the result does not depend on it.
    skip_broken: list CADs that cannot be read instead of raising.
    only: FILE:KEY of the ids to take (cad_lists.read); '' takes all.
    leave_out: FILE:KEY of ids not to take; '' for none.

  Returns:
    What came out.

  Raises:
    FileNotFoundError, ValueError: no such collection, no CAD in it, a class
      that nobody knows, a broken CAD (unless skipped), or an output folder that
      is something else.
  """
  if clutter_dir and source != 'sweethome3d':
    raise ValueError(
      f'--clutter_dir is for --source=sweethome3d; {source} has classes only.'
    )
  if source != 'sweethome3d' and not input_path:
    raise ValueError(f'--input is missing: the folder of {source}.')
  wanted = tuple(class_names) if class_names else None
  if wanted:
    _check_classes(wanted, input_path if source == 'folder' else '')
  settings = library_writer.Settings(source, num_processes, skip_broken)
  lists = {
    flag: set(cad_lists.read(place, flag))
    for flag, place in (('only', only), ('leave_out', leave_out))
    if place
  }
  if source == 'sweethome3d':
    return _build_sweethome3d(
      input_path, output_dir, clutter_dir, wanted, lists, settings
    )
  if source == 'pix3d':
    cads = mesh_folders.list_pix3d(input_path, wanted)
  elif source == 'shapenet':
    cads = shapenet.list_models(input_path, wanted)
  elif source == 'folder':
    cads = mesh_folders.list_folder(
      input_path, wanted, licence, creator, metres_per_unit
    )
  else:
    raise ValueError(
      f'Unknown source {source!r}; known are {", ".join(SOURCES)}.'
    )
  return library_writer.write(_choose(cads, lists), output_dir, settings)


def _check_classes(wanted: Sequence[str], folder: str) -> None:
  """Raises ValueError for a class that neither we nor the folder know."""
  known = {*furniture_classes.LABEL_NAMES, *shapenet.LABEL_NAMES.values()}
  known.update(conventions.PIX3D_CLASSES)
  if folder:
    known.update(cad.label_name for cad in cad_folder.list_cads(folder))
  for name in wanted:
    if name not in known:
      raise ValueError(
        f'--classes: {name!r} is none of {", ".join(sorted(known))}.'
        f'{close_names.hint(name, known)}'
      )


def _choose(
  cads: Sequence[source_cad.SourceCad], lists: Mapping[str, Set[str]]
) -> List[source_cad.SourceCad]:
  """By the flags' lists; says on stderr which listed ids are not there."""
  known = {cad.cad_id for cad in cads}
  missing = set().union(*lists.values()) - known
  if missing:
    print(
      f'listed, but not in the collection: {", ".join(sorted(missing))}.'
      f'{close_names.hint(min(missing), known)}',
      file=sys.stderr,
    )
  wanted = lists.get('only', known) - lists.get('leave_out', set())
  return [cad for cad in cads if cad.cad_id in wanted]


def _build_sweethome3d(
  given, output_dir, clutter_dir, wanted, lists, settings
) -> library_writer.Report:
  settings = settings._replace(skip_broken=True, drop_copies=True)
  with tempfile.TemporaryDirectory(prefix='sweethome3d-') as work_dir:
    archives = furniture_archives.find(given, work_dir)
    listing = sweethome3d.list_models(archives, wanted)
    report = library_writer.write(
      _choose(listing.cads, lists), output_dir, settings, listing.failed
    )
    if clutter_dir:
      library_writer.write_things(listing.clutter, clutter_dir, settings)
  return report


def main(argv: Sequence[str]) -> None:
  """Runs the tool with its flags."""
  command_line.reject(argv[1:])
  report = build(
    FLAGS.source,
    FLAGS.input,
    FLAGS.output_dir,
    FLAGS.clutter_dir,
    FLAGS.classes,
    FLAGS.metres_per_unit,
    FLAGS.licence,
    FLAGS.creator,
    FLAGS.num_processes,
    FLAGS.skip_broken,
    FLAGS.only,
    FLAGS.leave_out,
  )
  for failure in report.failed:
    print(f'skipped {failure.id}: {failure.reason}', file=sys.stderr)
  counts = ', '.join(f'{name} {n}' for name, n in report.counts.items())
  print(
    f'{sum(report.counts.values())} CADs ({counts}), '
    f'{report.num_near_duplicates} near-duplicates, '
    f'{report.num_with_stray_geometry} with stray geometry, '
    f'{len(report.failed)} left out -> '
    f'{os.path.join(FLAGS.output_dir, library_writer.SHEET)}'
  )


if __name__ == '__main__':
  command_line.run('tfrecords_tools.cad_library', main, FLAGS)
