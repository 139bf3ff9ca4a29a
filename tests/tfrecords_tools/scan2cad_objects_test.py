"""What a frame shows, by cubes whose silhouettes are known."""

import os
import pickle

import numpy as np
import pytest
import trimesh

from mask2cad_tf import conventions
from mask2cad_tf.geometry import meshes
from tfrecords_tools import scan2cad_annotations
from tfrecords_tools import scan2cad_objects

_INTRINSICS = (100.0, 100.0, 50.0, 40.0)
_SIZE = (80, 100)  # height, width
_CHAIR, _TABLE, _BIN, _JAR = '03001627', '04379243', '02747177', '03593526'
# Scan axes = Pix3D's camera axes: what stands at (x, y, z) is seen there.
_HERE = np.eye(4)


def _model(synset, place, scale=(1.0, 1.0, 1.0), shape='cube'):
  return scan2cad_annotations.AlignedModel(
    synset, shape, np.eye(3), np.array(place, float), np.array(scale, float), 1
  )


@pytest.fixture(scope='module')
def shelf(tmp_path_factory):
  root = tmp_path_factory.mktemp('shapenet')
  for synset in (_CHAIR, _TABLE, _BIN, _JAR):
    model = _model(synset, (0, 0, 0))
    path = root / model.mesh
    path.parent.mkdir(parents=True)
    trimesh.creation.box([1.0, 1.0, 1.0]).export(path)
  return scan2cad_objects.CadShelf(str(root))


def _label(shelf, *models, class_names=conventions.SCANNET_CLASSES):
  scene = str([(m.synset, *m.translation, *m.scale) for m in models])
  return scan2cad_objects.label(
    models, shelf.scaled(scene, models), _HERE, _INTRINSICS, *_SIZE, class_names
  )


def test_the_table_agrees_with_the_experiment():
  assert sorted(scan2cad_objects.SYNSETS.values()) == list(
    conventions.SCANNET_CLASSES
  )


def test_a_scaled_box_by_hand(shelf):
  # Front face at z = 4.5 .. half width 1, half height 0.5: +- 22.2 and 11.1
  # pixels about (50, 40); pixel centres 28.5 .. 71.5 and 29.5 .. 50.5.
  (seen,), counts = _label(
    shelf, _model(_CHAIR, (0.0, 0.0, 5.0), (2.0, 1.0, 1.0))
  )
  assert counts == {}
  assert seen.box == (29, 28, 51, 72)
  assert seen.amodal_mask.sum() == 22 * 44
  np.testing.assert_array_equal(seen.visible_mask, seen.amodal_mask)
  assert seen.occluded_share == 0.0
  assert not seen.is_truncated
  assert seen.label_name == 'chair'


def test_a_nearer_cad_hides(shelf):
  # The bin covers the right half of the picture, up to the middle of the chair
  # (+x is left), at any height.
  hider = _model(_JAR, (-2.0, 0.0, 3.0), (4.0, 4.0, 0.01))
  (seen,), counts = _label(shelf, _model(_CHAIR, (0.0, 0.0, 5.0)), hider)
  assert counts == {scan2cad_objects.NO_CLASS: 1}
  assert seen.occluded_share == pytest.approx(0.5)
  columns = np.nonzero(seen.visible_mask.any(axis=0))[0]
  assert (columns.min(), columns.max()) == (39, 49)
  # The box stays the whole silhouette's.
  assert seen.box == (29, 39, 51, 61)


@pytest.mark.parametrize(
  'models,reason',
  [
    ([_model(_JAR, (0, 0, 5))], scan2cad_objects.NO_CLASS),
    # Half of it is in the picture, its centre is not: u = 50 - 100 * 2.6 / 5.
    ([_model(_CHAIR, (2.6, 0, 5))], scan2cad_objects.CENTER_OUTSIDE),
    ([_model(_BIN, (0, 0, 5))], scan2cad_objects.RARE),
  ],
)
def test_dropped(models, reason, shelf):
  seen, counts = _label(shelf, *models, class_names=('chair', 'table'))
  assert (seen, counts) == ([], {reason: 1})


def test_hidden(shelf):
  wall = _model(_TABLE, (0, 0, 3), (3.0, 3.0, 0.1))
  seen, counts = _label(shelf, _model(_CHAIR, (0, 0, 5)), wall)
  assert [item.label_name for item in seen] == ['table']
  assert counts == {scan2cad_objects.HIDDEN: 1}


def test_behind_and_beside_is_neither_seen_nor_counted(shelf):
  models = [
    _model(_CHAIR, place) for place in ((0, 0, -5), (9, 0, 5), (0, -9, 5))
  ]
  assert _label(shelf, *models) == ([], {})


@pytest.mark.parametrize(
  'place,is_truncated',
  [
    ((0.0, 0.0, 5.0), False),
    ((2.2, 0.0, 5.0), True),  # over the left border
    ((0.0, 1.7, 5.0), True),  # over the upper one
    ((0.0, 0.0, 0.4), True),  # around the camera
  ],
)
def test_truncated(place, is_truncated, shelf):
  (seen,), _ = _label(shelf, _model(_CHAIR, place))
  assert seen.is_truncated == is_truncated


@pytest.mark.parametrize(
  'points,expected',
  [
    ([[0, 0, 5]], False),
    ([[0, 0, -5], [0, 1, -1]], True),
    ([[0, 0, -5], [0, 0, 5]], False),
    ([[2.4, 0, 5], [9, 0, 9]], False),  # u = 2 and -50
    ([[2.6, 0, 5], [9, 0, 9]], True),
    ([[-2.6, 0, 5]], True),
    ([[0, 2.1, 5]], True),
    ([[0, -2.1, 5]], True),
    # One left, one right: between them may be anything.
    ([[9, 0, 5], [-9, 0, 5]], False),
  ],
)
def test_is_outside(points, expected):
  assert (
    scan2cad_objects.is_outside(np.array(points), _INTRINSICS, *_SIZE)
    == expected
  )


@pytest.mark.parametrize(
  'translation,expected',
  [
    ((0, 0, 5), True),
    ((0, 0, -5), False),
    ((2.5, 2.0, 5.0), True),  # (0, 0)
    ((-2.5, 0, 5), False),  # u = 100
  ],
)
def test_is_center_inside(translation, expected):
  inside = scan2cad_objects.is_center_inside(
    np.array(translation, float), _INTRINSICS, *_SIZE
  )
  assert inside == expected


def test_the_shelf_pickles_and_names_missing_cads(shelf):
  again = pickle.loads(pickle.dumps(shelf))
  model = _model(_CHAIR, (0, 0, 5))
  assert len(again.as_stored(model).vertices) == 8
  with pytest.raises(meshes.MeshError, match=os.path.join(_CHAIR, 'gone')):
    again.scaled('s', [_model(_CHAIR, (0, 0, 5), shape='gone')])
