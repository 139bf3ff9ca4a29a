"""From a CAD library and a model to a gallery: render, embed, write."""

import dataclasses
from typing import Optional
from typing import Sequence
from typing import Tuple

import numpy as np
import tensorflow as tf

from mask2cad_tf.configs import mask2cad as mask2cad_config
from mask2cad_tf.data import atomic_folder
from mask2cad_tf.modeling import mask2cad_model
from mask2cad_tf.modeling import model_folder
from mask2cad_tf.retrieval import gallery as gallery_lib
from mask2cad_tf.retrieval import gallery_rows


@dataclasses.dataclass(frozen=True)
class BuildReport:
  """What came out: the gallery as on disk, and the meshes left out.

  Attributes:
    gallery: read back from the disk.
    broken: (CAD id, reason) of each CAD left out.
  """

  gallery: gallery_lib.Gallery
  broken: Tuple[Tuple[str, str], ...]


def build(
  model: mask2cad_model.Mask2CADModel,
  config: mask2cad_config.Mask2CAD,
  library_root: str,
  output_dir: str,
  num_views: Optional[int] = None,
  skip_broken: bool = False,
  cad_ids: Optional[Sequence[str]] = None,
  num_processes: int = 1,
) -> BuildReport:
  """Builds a gallery; `output_dir` changes only when all went well.

  Args:
    model: its view encoder and its `view_rotations`.
    config: its class names.
    library_root: folder <class>/<shape>/*.{obj,glb,ply,off}.
    output_dir: a gallery's folder, new or to be replaced.
    num_views: views a CAD, the first of the class's rotations; None takes all.
    skip_broken: leave out what cannot be read, and report it.
    cad_ids: the CADs that are wanted; None takes all of the library.
    num_processes: that render beside this one; 1: none.

  Raises:
    FileNotFoundError, ValueError: no library, no CAD, a CAD id that the
      library has not, more views than the model has rotations, or a broken
      mesh (unless skipped), by name.
  """
  encoder = model_encoder(model, config)
  if num_views is not None:
    encoder = encoder.first_views(num_views)
  entries = gallery_rows.wanted(library_root, encoder.class_names, cad_ids)
  with atomic_folder.replacing(output_dir, gallery_lib.MANIFEST) as folder:
    gallery, broken = gallery_rows.make(
      encoder, library_root, entries, folder, skip_broken, num_processes
    )
    gallery_lib.write_index(folder, gallery)
  return BuildReport(gallery_lib.load(output_dir), broken)


def model_encoder(
  model: mask2cad_model.Mask2CADModel, config: mask2cad_config.Mask2CAD
) -> gallery_rows.Encoder:
  """A model's view encoder with its view rotations."""
  embed = tf.function(model.embed_views, autograph=False)
  return gallery_rows.Encoder(
    fingerprint=model_folder.fingerprint(model),
    class_names=tuple(config.class_names),
    rotations=np.asarray(model.view_rotations, np.float32),
    valid=np.asarray(model.view_rotations_valid, bool),
    embed=lambda views: embed(views).numpy(),
  )
