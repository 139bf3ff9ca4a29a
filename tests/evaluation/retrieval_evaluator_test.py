import dataclasses
import math

import numpy as np
import pytest
import trimesh

from mask2cad_tf.evaluation import retrieval_evaluator
from mask2cad_tf.evaluation import surface_comparison
from mask2cad_tf.geometry import posed_cad


def test_ranks_by_class():
  evaluator = retrieval_evaluator.RetrievalEvaluator(('chair', 'sofa'))
  ranked = [f'chair/{i}' for i in range(12)]
  for true, f1 in (('0', 1.0), ('4', 0.5), ('5', 0.3), ('10', 0.0)):
    evaluator.update_state(1, f'chair/{true}', ranked, f1)
  evaluator.update_state(2, 'sofa/0', ['sofa/0'], 0.8)
  result = evaluator.result()
  chair = result['per_class']['chair']
  # First: 1 of 4; among five: 2; among ten: 3 (rank 11 is out).
  assert [chair[key] for key in ('top1', 'top5', 'top10')] == [0.25, 0.5, 0.75]
  assert chair['f1_at_true_pose'] == pytest.approx(1.8 / 4)
  assert chair['num_objects'] == 4
  assert result['top1'] == pytest.approx(2 / 5)
  assert result['f1_at_true_pose'] == pytest.approx(2.6 / 5)


def test_no_candidates_and_reset():
  evaluator = retrieval_evaluator.RetrievalEvaluator(('chair',))
  evaluator.update_state(1, 'chair/a', [], 0.0)
  assert evaluator.result()['top10'] == 0.0
  evaluator.reset()
  assert math.isnan(evaluator.result()['top1'])
  assert evaluator.result()['num_objects'] == 0


def test_f1_at_the_true_pose_ignores_the_predicted_pose():
  library = {
    'small': trimesh.creation.box([1.0, 1.0, 0.2]),
    'same': trimesh.creation.box([1.0, 1.0, 1.0]),
  }
  comparison = surface_comparison.SurfaceComparison(library.get)

  def pose(mesh, translation):
    return posed_cad.PosedCad(
      label=1,
      cad_id=mesh,
      mesh=mesh,
      rotation=np.eye(3),
      translation=np.array(translation, float),
      box=np.zeros(4),
    )

  truth = pose('same', (0, 0, 3))
  alike = retrieval_evaluator.f1_at_true_pose(
    comparison, pose('same', (9, 9, 9)), truth
  )
  other = retrieval_evaluator.f1_at_true_pose(
    comparison, pose('small', (0, 0, 3)), truth
  )
  assert alike > 0.98
  assert other < 0.5
  # Stretched as the true one is, the flat box is the cube.
  stretched = dataclasses.replace(pose('small', (0, 0, 3)), scale=np.ones(3))
  scaled_truth = dataclasses.replace(
    truth, mesh='small', scale=np.array([1.0, 1.0, 5.0])
  )
  again = retrieval_evaluator.f1_at_true_pose(
    comparison, stretched, scaled_truth
  )
  assert again > 0.98
