"""The view records of all CADs in memory: PNG bytes, decoded when sampled."""

import dataclasses
from typing import List
from typing import Sequence
from typing import Tuple
from typing import Union

import tensorflow as tf

from mask2cad_tf import conventions
from mask2cad_tf.data import record_files
from mask2cad_tf.data import schema

_FEATURES = {
  schema.VIEW_CAD_ID: tf.io.FixedLenFeature([], tf.string),
  schema.VIEW_CAD_GROUP: tf.io.FixedLenFeature([], tf.string),
  schema.VIEW_CLASS_LABEL: tf.io.FixedLenFeature([], tf.int64),
  schema.VIEW_ENCODED: tf.io.FixedLenFeature(
    [conventions.NUM_VIEWS], tf.string
  ),
  schema.VIEW_ROTATION: tf.io.FixedLenFeature(
    [conventions.NUM_VIEWS, 4], tf.float32
  ),
  schema.SYMMETRY: tf.io.FixedLenFeature([], tf.int64),
  schema.MIRROR_NORMAL: tf.io.FixedLenFeature([3], tf.float32),
  schema.VIEW_FEATURES: tf.io.RaggedFeature(tf.string),
  schema.VIEW_FEATURES_SHAPE: tf.io.RaggedFeature(tf.int64),
}


@dataclasses.dataclass(frozen=True, eq=False)
class ViewStore:
  """n CADs, in the order of their ids.

  Attributes:
    cad_ids: string [n].
    groups: int32 [n], row of the first CAD of each one's near-duplicates.
    labels: int32 [n].
    views: string [n, NUM_VIEWS], PNG 128 x 128 grey.
    rotations: float [n, NUM_VIEWS, 4], (w, x, y, z), what the views show.
    symmetries: int32 [n], order about +y, 0 = any angle.
    mirror_normals: float [n, 3], zeros when chiral.
    feature_shape: of a view's cached features; () where none are cached. Then
      `views` are their bytes in place of the PNG.
  """

  cad_ids: tf.Tensor
  groups: tf.Tensor
  labels: tf.Tensor
  views: tf.Tensor
  rotations: tf.Tensor
  symmetries: tf.Tensor
  mirror_normals: tf.Tensor
  feature_shape: Tuple[int, ...]
  _table: tf.lookup.StaticHashTable

  @classmethod
  def load(
    cls, pattern: Union[str, Sequence[str]], cached: bool = False
  ) -> 'ViewStore':
    """Reads view records.

    Args:
      pattern: glob of record files, or several.
      cached: take the views' cached features instead of their pictures.

    Returns:
      The store.

    Raises:
      FileNotFoundError: if nothing matches.
      ValueError: on truncated records, records of images, records without the
        features that are asked for, or a CAD that stands in two records.
    """
    paths = record_files.match(pattern)
    rows = _parse(list(record_files.read(paths)), pattern)
    encoded, feature_shape = rows[schema.VIEW_ENCODED], ()
    if cached:
      encoded, feature_shape = _features(rows, pattern)
    with tf.device('CPU'):
      cad_ids = rows[schema.VIEW_CAD_ID]
      first = {}
      for row, group in enumerate(rows[schema.VIEW_CAD_GROUP].numpy()):
        first.setdefault(group, row)
      return cls(
        cad_ids=cad_ids,
        groups=tf.constant(
          [first[group] for group in rows[schema.VIEW_CAD_GROUP].numpy()],
          tf.int32,
        ),
        labels=tf.cast(rows[schema.VIEW_CLASS_LABEL], tf.int32),
        views=encoded,
        rotations=rows[schema.VIEW_ROTATION],
        symmetries=tf.cast(rows[schema.SYMMETRY], tf.int32),
        mirror_normals=rows[schema.MIRROR_NORMAL],
        feature_shape=feature_shape,
        _table=tf.lookup.StaticHashTable(
          tf.lookup.KeyValueTensorInitializer(cad_ids, tf.range(len(cad_ids))),
          default_value=-1,
        ),
      )

  def lookup(self, cad_ids: tf.Tensor) -> tf.Tensor:
    """Rows int32 [...] of string [...] ids; -1 for CADs not in the store."""
    return self._table.lookup(cad_ids)

  def group_of(self, rows: tf.Tensor) -> tf.Tensor:
    """Group rows int32 [...]; -1 for rows that are -1."""
    return tf.where(rows < 0, -1, tf.gather(self.groups, tf.maximum(rows, 0)))

  def label_of(self, rows: tf.Tensor) -> tf.Tensor:
    """Class ids int32 [...]; 0 for rows that are -1."""
    return tf.where(rows < 0, 0, tf.gather(self.labels, tf.maximum(rows, 0)))

  def symmetry_of(self, rows: tf.Tensor) -> tf.Tensor:
    """Symmetry orders int32 [...]; 1 for rows that are -1."""
    return tf.where(
      rows < 0, 1, tf.gather(self.symmetries, tf.maximum(rows, 0))
    )

  def mirror_normal_of(self, rows: tf.Tensor) -> tf.Tensor:
    """Mirror normals float [..., 3]; zeros for rows that are -1."""
    return tf.where(
      rows[..., tf.newaxis] < 0,
      0.0,
      tf.gather(self.mirror_normals, tf.maximum(rows, 0)),
    )


def _features(
  rows: dict, pattern: Union[str, Sequence[str]]
) -> Tuple[tf.Tensor, Tuple[int, ...]]:
  """Bytes of the views' features, string [n, NUM_VIEWS], and their shape."""
  features, shapes = (
    rows[schema.VIEW_FEATURES],
    rows[schema.VIEW_FEATURES_SHAPE],
  )
  if set(features.row_lengths().numpy()) != {conventions.NUM_VIEWS}:
    raise ValueError(
      f'{pattern!r} holds no cached features of the views, and '
      'cached_features is set. Write them: python -m '
      'mask2cad_tf.cache_features --help'
    )
  return features.to_tensor(), tuple(shapes[0].numpy().tolist())


def _parse(records: List[bytes], pattern: Union[str, Sequence[str]]) -> dict:
  """Parsed features of all records, rows in the order of the CAD ids."""
  try:
    rows = tf.io.parse_example(records, _FEATURES)
  except tf.errors.InvalidArgumentError as error:
    raise ValueError(
      f'{pattern!r} holds no view records ({error.message}). Write them: '
      'python -m tfrecords_tools.render_views --help'
    ) from error
  unsorted = rows[schema.VIEW_CAD_ID].numpy().tolist()
  order = sorted(range(len(unsorted)), key=unsorted.__getitem__)
  rows = {key: tf.gather(value, order) for key, value in rows.items()}
  cad_ids = [unsorted[index] for index in order]
  twice = [a for a, b in zip(cad_ids, cad_ids[1:]) if a == b]
  if twice:
    raise ValueError(
      f'{pattern!r} holds CAD {twice[0].decode()!r} twice. Let the pattern '
      'match the view records of one library.'
    )
  return rows
