"""CADs come into a gallery and go; who reads it meanwhile sees old or new.

The gallery is written beside the old one and takes its place in one step. What
stays is not touched: embeddings byte for byte, meshes by hard links. The meshes
of a CAD that goes stay for one change more, as a process that has loaded the
earlier gallery may still read them.
"""

import dataclasses
import os
from typing import Callable
from typing import Optional
from typing import Sequence
from typing import Tuple

from mask2cad_tf.data import atomic_folder
from mask2cad_tf.geometry import cad_folder
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_rows


@dataclasses.dataclass(frozen=True)
class Home:
  """Where a gallery lies, and what is replaced along with it.

  Attributes:
    root: the folder that is replaced as a whole.
    marker: a file that tells such a folder from someone else's.
    inside: the gallery's folder, relative to the root.
    finish: called with the new root and its gallery before it takes its place.
  """

  root: str
  marker: str = gallery_lib.MANIFEST
  inside: str = ''
  finish: Callable[[str, gallery_lib.Gallery], None] = lambda root, gallery: (
    None
  )

  @property
  def gallery_dir(self) -> str:
    """A folder for `gallery.load`."""
    return os.path.join(self.root, self.inside) if self.inside else self.root


@dataclasses.dataclass(frozen=True)
class Added:
  """What `add` did.

  Attributes:
    gallery: as it is now.
    cad_ids: the new ones.
    broken: (CAD id, reason) of each CAD left out.
  """

  gallery: gallery_lib.Gallery
  cad_ids: Tuple[str, ...]
  broken: Tuple[Tuple[str, str], ...] = ()


def add(
  home: Home,
  encoder: gallery_rows.Encoder,
  library_root: str,
  cad_ids: Optional[Sequence[str]] = None,
  skip_broken: bool = False,
  num_processes: int = 1,
) -> Added:
  """Embeds the CADs of a library that a gallery does not hold yet.

  Args:
    home: of the gallery.
    encoder: the one that made its embeddings.
    library_root: folder <class>/<shape>/*.{obj,glb,ply,off}.
    cad_ids: the CADs that are wanted; None takes all of the library.
    skip_broken: leave out what cannot be read, and report it.
    num_processes: that render beside this one; 1: none.

  Raises:
    FileNotFoundError, ValueError: no gallery, a damaged one or of another
      encoder, no library, a CAD that it has not, one whose id the gallery has
      with another mesh, or a broken mesh. The gallery is as before.
  """
  with atomic_folder.locked(home.root):
    old = gallery_lib.load(
      home.gallery_dir, encoder.fingerprint, encoder.class_names
    )
    encoder = encoder.first_views(old.embeddings.shape[1])
    entries = [
      entry
      for entry in gallery_rows.wanted(
        library_root, encoder.class_names, cad_ids
      )
      if not _holds(old, library_root, entry)
    ]
    if not entries:
      return Added(old, ())

    with atomic_folder.replacing(home.root, home.marker) as root:
      folder = _carry_over(home, old, root)
      new, broken = gallery_rows.make(
        encoder, library_root, entries, folder, skip_broken, num_processes
      )
      _write(home, root, old.merge(new))
    return Added(gallery_lib.load(home.gallery_dir), new.cad_ids, broken)


def remove(home: Home, cad_ids: Sequence[str]) -> gallery_lib.Gallery:
  """Takes CADs out of a gallery.

  Args:
    home: of the gallery.
    cad_ids: of the gallery, at least one.

  Returns:
    The gallery as it is now.

  Raises:
    FileNotFoundError, ValueError: no gallery, a damaged one, an id that it
      does not hold, or no CAD would be left. The gallery is as before.
  """
  with atomic_folder.locked(home.root):
    old = gallery_lib.load(home.gallery_dir)
    gone = {old.row(cad_id) for cad_id in cad_ids}
    if len(gone) == len(old.cads):
      raise ValueError(
        f'Gallery {old.path!r} would hold no CAD any more. Leave one, or '
        'delete the folder.'
      )
    with atomic_folder.replacing(home.root, home.marker) as root:
      _carry_over(home, old, root)
      rows = [row for row in range(len(old.cads)) if row not in gone]
      _write(home, root, old.take(rows))
    return gallery_lib.load(home.gallery_dir)


def _holds(
  gallery: gallery_lib.Gallery, library_root: str, entry: cad_folder.CadEntry
) -> bool:
  """Whether a gallery has a CAD. Raises ValueError if with another mesh."""
  if entry.cad_id not in gallery.cad_ids:
    return False
  known = gallery.cad(entry.cad_id).sha256
  # Any of a shape's files will do: which of them represents it takes long.
  if any(
    gallery_lib.file_sha256(os.path.join(library_root, path)) == known
    for path in entry.mesh_paths
  ):
    return True
  raise ValueError(
    f'Gallery {gallery.path!r} has {entry.cad_id!r} with another mesh than '
    f'{os.path.join(library_root, entry.mesh_paths[0])!r}. Remove it first: '
    f'python -m mask2cad_tf.gallery remove --cad_id={entry.cad_id}'
  )


def _carry_over(home: Home, old: gallery_lib.Gallery, root: str) -> str:
  """Links what stays into the new root; returns its gallery's folder."""
  written = (*gallery_lib.INDEX, gallery_lib.MESHES)
  atomic_folder.carry_over(
    home.root,
    root,
    leave={os.path.normpath(os.path.join(home.inside, x)) for x in written},
  )
  folder = os.path.join(root, home.inside)
  # Of meshes only those that `old` lists: others have had their time.
  for mesh_dir in {os.path.dirname(cad.mesh) for cad in old.cads}:
    atomic_folder.carry_over(
      os.path.join(old.path, mesh_dir), os.path.join(folder, mesh_dir)
    )
  return folder


def _write(home: Home, root: str, gallery: gallery_lib.Gallery) -> None:
  gallery_lib.write_index(os.path.join(root, home.inside), gallery)
  home.finish(root, gallery)
