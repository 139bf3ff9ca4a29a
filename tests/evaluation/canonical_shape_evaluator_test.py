import math

import numpy as np
import pytest
import trimesh

from mask2cad_tf.evaluation import canonical_shape_evaluator


def test_chamfer_is_not_squared_and_summed():
  # From 0: the nearest of {3, 5} is at 3. From 3 and 5: 3 and 5, mean 4.
  points = np.zeros([1, 3])
  others = np.array([[3.0, 0.0, 0.0], [0.0, 5.0, 0.0]])
  distance = canonical_shape_evaluator.chamfer_distance(points, others)
  assert distance == pytest.approx(3.0 + 4.0)
  assert canonical_shape_evaluator.chamfer_distance(
    others, points
  ) == pytest.approx(7.0)


def test_place_and_size_do_not_matter_shape_does():
  box = trimesh.creation.box([1.0, 1.0, 1.0])
  moved = box.copy()
  moved.apply_scale(7.0)
  moved.apply_translation([30.0, -4.0, 2.0])
  library = {
    'box': box,
    'moved': moved,
    'plate': trimesh.creation.box([1.0, 0.1, 1.0]),
  }
  scores = {}
  for name in library:
    evaluator = canonical_shape_evaluator.CanonicalShapeEvaluator(library.get)
    evaluator.update_state(name, 'box')
    scores[name] = evaluator.result()
  assert scores['box']['iou'] == scores['moved']['iou'] == 1.0
  # 1,024 points on six unit squares lie about 0.5 * sqrt(6 / 1024) = 0.038
  # from their neighbours of another draw: both ways 0.077.
  assert scores['box']['chamfer'] == pytest.approx(0.077, rel=0.1)
  assert scores['moved']['chamfer'] == pytest.approx(scores['box']['chamfer'])
  assert scores['plate']['iou'] < 0.25
  assert scores['plate']['chamfer'] > 3 * scores['box']['chamfer']


def test_means_missing_meshes_and_one_comparison_per_pair():
  box = trimesh.creation.box([1.0, 1.0, 1.0])
  loaded = []
  evaluator = canonical_shape_evaluator.CanonicalShapeEvaluator(
    lambda name: loaded.append(name) or box
  )
  evaluator.update_state('p', 't')
  evaluator.update_state('p', 't')
  alone = evaluator.result()
  evaluator.update_state('', 't')
  result = evaluator.result()
  assert loaded == ['p', 't']
  assert result['num_objects'] == 3
  assert result['iou'] == pytest.approx(2 / 3)
  assert result['chamfer'] == alone['chamfer']


def test_reset_leaves_nan():
  box = trimesh.creation.box([1.0, 1.0, 1.0])
  evaluator = canonical_shape_evaluator.CanonicalShapeEvaluator(
    lambda name: box
  )
  evaluator.update_state('p', 't')
  evaluator.reset()
  assert evaluator.result()['num_objects'] == 0
  assert math.isnan(evaluator.result()['iou'])
