"""Renderer: closed forms, the camera's signs, real Pix3D masks."""

import numpy as np
import pytest
import trimesh

from mask2cad_tf.geometry import meshes
from mask2cad_tf.geometry import renderer as renderer_lib
from mask2cad_tf.geometry import rotations
from tests.geometry import pix3d_samples

_INTRINSICS = np.array([150.0, 130.0, 52.0, 37.0])
_HEIGHT, _WIDTH = 80, 100


def _rays():
  """Directions [height, width, 3] with Z = 1 through pixel centres."""
  v, u = np.mgrid[0:_HEIGHT, 0:_WIDTH] + 0.5
  return np.stack(
    [
      (_INTRINSICS[2] - u) / _INTRINSICS[0],
      (_INTRINSICS[3] - v) / _INTRINSICS[1],
      np.ones_like(u),
    ],
    -1,
  )


def _sphere_depth(center, radius):
  """|t d - c| = r: t = (d.c - sqrt((d.c)^2 - d.d (c.c - r^2))) / d.d."""
  rays, center = _rays(), np.asarray(center)
  along, square = rays @ center, np.sum(rays**2, -1)
  root = along**2 - square * (center @ center - radius**2)
  depth = (along - np.sqrt(np.maximum(root, 0.0))) / square
  return np.where(root > 0, depth, np.inf)


def _box_depth(extents, rotation, translation):
  """Slab method in the box's own frame."""
  rays = _rays() @ rotation  # R^T d
  origin = -np.asarray(translation) @ rotation
  half = np.asarray(extents) / 2.0
  with np.errstate(divide='ignore'):
    first = (-np.sign(rays) * half - origin) / rays
    last = (np.sign(rays) * half - origin) / rays
  near, far = first.max(-1), last.min(-1)
  return np.where(near < far, near, np.inf)


def _assert_depth(found, expected, atol):
  """Equal where both see the object; at most a rim of pixels differs."""
  seen, true = np.isfinite(found), np.isfinite(expected)
  assert true.sum() > 200
  assert (seen != true).mean() < 0.005
  both = seen & true
  np.testing.assert_allclose(found[both], expected[both], atol=atol)


def test_sphere_closed_form():
  sphere = trimesh.creation.icosphere(subdivisions=6, radius=0.5)
  center = np.array([0.2, -0.1, 3.0])
  depth = renderer_lib.Renderer(sphere).depth(
    np.eye(3), center, _INTRINSICS, _HEIGHT, _WIDTH
  )
  expected = _sphere_depth(center, 0.5)
  # Near the rim the facets' sagitta (1e-4) is magnified.
  inner = expected < 3.0 - 0.1
  np.testing.assert_allclose(depth[inner], expected[inner], atol=1e-3)
  assert (np.isfinite(depth) != np.isfinite(expected)).mean() < 0.005


def test_sphere_normals_point_from_its_centre_to_the_surface():
  sphere = trimesh.creation.icosphere(subdivisions=5, radius=0.5)
  center = np.array([0.2, -0.1, 3.0])
  rendering = renderer_lib.Renderer(sphere).render(
    np.eye(3), center, _INTRINSICS, _HEIGHT, _WIDTH, antialias=1
  )
  points = _rays() * rendering.depth[..., np.newaxis]
  seen = rendering.depth < 2.9
  radial = (points[seen] - center) / 0.5
  np.testing.assert_allclose(rendering.normals[seen], radial, atol=0.05)
  # Headlight raised by atan(1/2): grey = 1/4 + 3/4 n . (0, 1, -2) / sqrt 5.
  light = rendering.normals[seen] @ (np.array([0, 1, -2]) / np.sqrt(5))
  np.testing.assert_allclose(
    rendering.shaded[seen], 0.25 + 0.75 * np.maximum(light, 0), atol=1e-5
  )


@pytest.mark.parametrize('seed', range(4))
def test_box_closed_form(seed):
  rng = np.random.default_rng(seed)
  rotation = rotations.matrix_from_quaternion(
    rotations.random_rotations(1, rng)[0]
  )
  extents, translation = rng.uniform(0.5, 1.5, 3), (0.3, -0.2, 4.0)
  box = renderer_lib.Renderer(trimesh.creation.box(extents))
  expected = _box_depth(extents, rotation, translation)
  arguments = rotation, translation, _INTRINSICS, _HEIGHT, _WIDTH
  _assert_depth(box.depth(*arguments), expected, 1e-4)
  np.testing.assert_array_equal(
    box.silhouette(*arguments), np.isfinite(box.depth(*arguments))
  )


def test_left_is_positive_x_and_up_positive_y():
  box = renderer_lib.Renderer(trimesh.creation.box((0.2, 0.2, 0.2)))
  mask = box.silhouette(
    np.eye(3), (0.8, 0.4, 4.0), _INTRINSICS, _HEIGHT, _WIDTH
  )
  v, u = np.argwhere(mask).mean(axis=0) + 0.5
  # u = 52 - 150 * 0.8 / 4 = 22; v = 37 - 130 * 0.4 / 4 = 24.
  np.testing.assert_allclose([u, v], [22.0, 24.0], atol=0.6)


@pytest.mark.parametrize('index', range(3))
def test_real_pix3d_masks(index):
  sample = pix3d_samples.load()[index]
  cad = renderer_lib.Renderer(meshes.load(sample.mesh_path))
  mask = cad.silhouette(
    sample.rotation, sample.translation, sample.intrinsics, *sample.mask.shape
  )
  iou = (mask & sample.mask).sum() / (mask | sample.mask).sum()
  assert iou >= 0.98


@pytest.mark.parametrize('scale, distance', [(1e3, 4e3), (1e-3, 4e-3)])
def test_units_do_not_matter(scale, distance):
  rotation = rotations.matrix_from_quaternion([0.9, 0.1, 0.4, 0.1])
  one = renderer_lib.Renderer(trimesh.creation.box((1, 2, 1))).render(
    rotation, (0, 0, 4.0), _INTRINSICS, _HEIGHT, _WIDTH
  )
  scaled = trimesh.creation.box(np.array([1, 2, 1]) * scale)
  other = renderer_lib.Renderer(scaled).render(
    rotation, (0, 0, distance), _INTRINSICS, _HEIGHT, _WIDTH
  )
  np.testing.assert_allclose(other.shaded, one.shaded, atol=1e-3)
  np.testing.assert_allclose(other.depth, one.depth * scale, rtol=1e-5)


def test_a_far_telephoto_camera_stays_exact():
  # Pix3D reaches t_z = 1000 with f = 48,705 pixels.
  intrinsics = np.array([48705.0, 48705.0, 50.0, 40.0])
  box = renderer_lib.Renderer(trimesh.creation.box((1, 1, 1)))
  depth = box.depth(np.eye(3), (0, 0, 1000.0), intrinsics, 80, 100)
  # Front face at 999.5, 48705 / 999.5 = 48.7 pixels wide: 48 or 49 centres.
  seen = np.isfinite(depth)
  assert seen.any(axis=0).sum() in (48, 49)
  np.testing.assert_allclose(depth[seen], 999.5, atol=1e-3)


def test_normals_turn_to_the_camera_whatever_the_winding():
  box = trimesh.creation.box((1, 1, 1))
  inside_out = trimesh.Trimesh(box.vertices, box.faces[:, ::-1], process=False)
  rotation = rotations.matrix_from_quaternion([0.9, 0.1, 0.4, 0.1])
  first, second = (
    renderer_lib.Renderer(mesh).render(
      rotation, (0, 0, 4.0), _INTRINSICS, _HEIGHT, _WIDTH
    )
    for mesh in (box, inside_out)
  )
  np.testing.assert_allclose(first.shaded, second.shaded, atol=1e-6)
  np.testing.assert_allclose(first.normals, second.normals, atol=1e-6)
  facing = np.sum(first.normals * _rays(), -1)[first.depth < np.inf]
  assert facing.max() <= 1e-6


def test_coverage_counts_the_rays_of_a_pixel():
  # An upright edge a quarter into pixel 52 + 10: one of two ray columns hits.
  square = trimesh.Trimesh(
    [[0, -1, 0], [-0.7, -1, 0], [-0.7, 1, 0], [0, 1, 0]],
    [[0, 1, 2], [0, 2, 3]],
    process=False,
  )
  intrinsics = np.array([15.0, 15.0, 52.0, 37.0])
  rendering = renderer_lib.Renderer(square).render(
    np.eye(3), (0, 0, 1.0), intrinsics, _HEIGHT, _WIDTH
  )
  # u from 52 to 52 + 15 * 0.7 = 62.5.
  np.testing.assert_allclose(
    rendering.coverage[37, 51:64], [0] + [1] * 10 + [0.5, 0]
  )
  np.testing.assert_array_equal(rendering.mask[37, 61:64], [True, True, False])
  assert rendering.triangles[37, 62] in (0, 1)
  assert rendering.triangles[37, 63] == -1
  assert np.isinf(rendering.depth[37, 63])
  np.testing.assert_allclose(
    rendering.shaded[37, 62], 0.5 * rendering.shaded[37, 61]
  )


def test_a_mirrored_scene_gives_the_mirrored_picture():
  cone = trimesh.creation.cone(0.5, 1.0)
  rotation = rotations.matrix_from_quaternion([0.8, 0.4, 0.3, 0.1])
  flip = np.diag([-1.0, 1.0, 1.0])
  intrinsics = np.array([150.0, 150.0, 50.0, 40.0])
  picture = renderer_lib.Renderer(cone).render(
    rotation, (0.2, 0.1, 4.0), intrinsics, 80, 100
  )
  mirrored_cone = trimesh.Trimesh(
    cone.vertices @ flip, cone.faces, process=False
  )
  mirrored = renderer_lib.Renderer(mirrored_cone).render(
    flip @ rotation @ flip, (-0.2, 0.1, 4.0), intrinsics, 80, 100
  )
  # Rays along an edge may fall to either side of it.
  difference = np.abs(mirrored.shaded[:, ::-1] - picture.shaded)
  assert (difference > 0.02).mean() < 0.002


def test_a_camera_inside_the_cad_sees_it_everywhere():
  room = renderer_lib.Renderer(trimesh.creation.box((4, 4, 4)))
  rendering = room.render(np.eye(3), (0, 0, 0.5), _INTRINSICS, _HEIGHT, _WIDTH)
  assert rendering.mask.all()
  # The far wall stands at 0.5 + 2.
  np.testing.assert_allclose(rendering.depth[37, 52], 2.5, atol=1e-5)


def test_a_cad_out_of_sight_leaves_the_picture_empty():
  box = renderer_lib.Renderer(trimesh.creation.box((1, 1, 1)))
  for translation in [(50.0, 0.0, 4.0), (0.0, 0.0, -5.0)]:
    rendering = box.render(np.eye(3), translation, _INTRINSICS, _HEIGHT, _WIDTH)
    assert not rendering.mask.any()
    assert not rendering.shaded.any()
    assert np.isinf(rendering.depth).all()
    assert (rendering.triangles == -1).all()


@pytest.mark.parametrize('antialias', [1, 2])
def test_shading_alone_is_the_same_to_the_bit(antialias):
  rng = np.random.default_rng(3)
  ball = trimesh.creation.icosphere(subdivisions=3)
  soup = trimesh.Trimesh(
    rng.normal(size=[90, 3]), np.arange(90).reshape(-1, 3), process=False
  )
  for mesh in (ball, soup, trimesh.creation.box([1.0, 2.0, 0.5])):
    renderer = renderer_lib.Renderer(mesh)
    for rotation in rotations.matrix_from_quaternion(
      rotations.random_rotations(5, rng)
    ):
      camera = rotation, np.array([0.1, 0.0, 6.0]), _INTRINSICS
      arguments = (*camera, _HEIGHT, _WIDTH, antialias)
      np.testing.assert_array_equal(
        renderer.shaded(*arguments), renderer.render(*arguments).shaded
      )


def test_chunks_do_not_show(monkeypatch):
  box = renderer_lib.Renderer(trimesh.creation.box((1, 1, 1)))
  rotation = rotations.matrix_from_quaternion([0.9, 0.1, 0.4, 0.1])
  arguments = rotation, (0, 0, 4.0), _INTRINSICS, _HEIGHT, _WIDTH
  whole, mask = box.render(*arguments), box.silhouette(*arguments)
  monkeypatch.setattr(renderer_lib, '_MAX_RAYS', 500)
  np.testing.assert_array_equal(box.render(*arguments).shaded, whole.shaded)
  np.testing.assert_array_equal(box.silhouette(*arguments), mask)


def test_the_nearer_cad_hides_the_other():
  small = renderer_lib.Renderer(trimesh.creation.box((0.5, 0.5, 0.1)))
  large = renderer_lib.Renderer(trimesh.creation.box((2.0, 2.0, 0.1)))
  posed = [
    renderer_lib.PosedRenderer(large, np.eye(3), np.array([0, 0, 5.0])),
    renderer_lib.PosedRenderer(small, np.eye(3), np.array([0, 0, 3.0])),
  ]
  depth, instances = renderer_lib.render_many(
    posed, _INTRINSICS, _HEIGHT, _WIDTH
  )
  np.testing.assert_allclose(depth[37, 52], 2.95, atol=1e-5)
  assert instances[37, 52] == 1
  # 0.5 / 2.95 * 150 = 25.4 pixels wide; 20 pixels off the axis is behind.
  np.testing.assert_allclose(depth[37, 72], 4.95, atol=1e-5)
  assert instances[37, 72] == 0
  assert instances[0, 0] == -1
  assert np.isinf(depth[0, 0])
  backwards, order = renderer_lib.render_many(
    posed[::-1], _INTRINSICS, _HEIGHT, _WIDTH
  )
  np.testing.assert_array_equal(backwards, depth)
  np.testing.assert_array_equal(
    order, np.where(instances < 0, -1, 1 - instances)
  )
