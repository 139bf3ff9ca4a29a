"""Two detectors' scores as one, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.ops import pooled_detections

_CHAIR, _SOFA, _TABLE = 1, 2, 3
_HERE, _THERE = [0.0, 0.0, 100.0, 100.0], [0.0, 200.0, 100.0, 300.0]
_NEAR = [0.0, 0.0, 100.0, 80.0]  # IoU with _HERE .8
_HALF = [0.0, 0.0, 100.0, 60.0]  # .6: another opinion, but one object


def _raised(score):
  """.3 is right as often as not: .3 -> .5, 0 -> 0, 1 -> 1."""
  return 0.7 * score / (0.7 * score + 0.3 * (1.0 - score))


def _pool(found, other, weight=0.75, total=4, classes=(_CHAIR, _TABLE)):
  """Detections (box, class, score), the other's (box, score a class)."""
  padding = [([0.0] * 4, 0, 0.0)] * (total - len(found))
  boxes, names, scores = zip(*found, *padding)
  other = other or [([0.0] * 4, *[0.0] * len(classes))]
  result = pooled_detections.pool(
    {
      'detection_boxes': tf.constant([boxes], tf.float32),
      'detection_classes': tf.constant([names]),
      'detection_scores': tf.constant([scores], tf.float32),
      'num_detections': tf.constant([len(found)]),
    },
    tf.constant([[row[0] for row in other]], tf.float32),
    tf.constant([[row[1:] for row in other]], tf.float32),
    classes,
    num_classes=4,
    weight=weight,
  )
  count = int(result['num_detections'][0])
  assert result['detection_boxes'].shape == (1, total, 4)
  assert not result['detection_scores'][0, count:].numpy().any()
  return [
    (box.tolist(), int(name), float(score))
    for box, name, score in zip(
      result['detection_boxes'][0, :count].numpy(),
      result['detection_classes'][0, :count].numpy(),
      result['detection_scores'][0, :count].numpy(),
    )
  ]


def _check(result, expected):
  assert [row[:2] for row in result] == [row[:2] for row in expected]
  np.testing.assert_allclose(
    [row[2] for row in result], [row[2] for row in expected], atol=3e-6
  )


def test_what_both_find_has_the_geometric_mean():
  # The other's 27/55: odds 27 to 28, times 7/3: 9 to 4, which is 9/13 = .6923.
  # .16^(1/4) * .6923^(3/4) = .6325 * .7590 = .4800
  result = _pool([(_HERE, _CHAIR, 0.16)], [(_NEAR, 27 / 55, 0.0)])
  # Both boxes have that score; the one with the higher own score stays.
  _check(result, [(_NEAR, _CHAIR, 0.16**0.25 * (9 / 13) ** 0.75)])
  assert result[0][2] == pytest.approx(0.48, abs=1e-4)


def test_what_one_alone_finds_has_the_others_floor():
  # .01 for the other's silence, .05 for the first one's.
  result = _pool(
    [(_HERE, _CHAIR, 0.81)], [(_THERE, 0.0, 0.3), (_HALF, 0.0, 0.02)]
  )
  _check(
    result,
    [
      # .3 counts as even; .02 is no candidate.
      (_THERE, _TABLE, 0.05**0.25 * 0.5**0.75),  # .281
      (_HERE, _CHAIR, 0.81**0.25 * 0.01**0.75),  # .030
    ],
  )


def test_boxes_that_agree_too_little_are_no_opinion():
  # IoU .6: each is scored alone, and the better one suppresses the other.
  result = _pool([(_HERE, _CHAIR, 0.81)], [(_HALF, 0.5, 0.0)])
  _check(result, [(_HALF, _CHAIR, 0.05**0.25 * _raised(0.5) ** 0.75)])


def test_another_class_at_one_place_is_another_detection():
  result = _pool([(_HERE, _CHAIR, 0.8)], [(_HERE, 0.6, 0.4)])
  _check(
    result,
    [
      (_HERE, _CHAIR, 0.8**0.25 * _raised(0.6) ** 0.75),
      (_HERE, _TABLE, 0.05**0.25 * _raised(0.4) ** 0.75),
    ],
  )


def test_a_class_that_the_other_does_not_know_keeps_its_score():
  result = _pool([(_HERE, _SOFA, 0.4)], [(_HERE, 0.9, 0.9)], weight=1.0)
  _check(
    result,
    [
      (_HERE, _CHAIR, _raised(0.9)),
      (_HERE, _TABLE, _raised(0.9)),
      (_HERE, _SOFA, 0.4),
    ],
  )


def test_without_weight_the_other_only_adds_candidates():
  found = [(_HERE, _CHAIR, 0.8), (_THERE, _TABLE, 0.5)]
  _check(_pool(found, [(_NEAR, 0.9, 0.0)], weight=0.0), [
    (_NEAR, _CHAIR, 0.8), found[1]  # of equal scores, the higher own one
  ])  # fmt: skip
  _check(_pool(found, []), _pool(found, [(_HERE, 0.0, 0.0)]))


def test_no_more_than_the_first_one_may_have_are_left():
  boxes = [[0.0, 200.0 * i, 100.0, 200.0 * i + 100.0] for i in range(8)]
  other = [(box, 0.1 * (i + 1), 0.0) for i, box in enumerate(boxes)]
  result = _pool([], other, weight=1.0)
  _check(
    result, [(boxes[i], _CHAIR, _raised(0.1 * (i + 1))) for i in (7, 6, 5, 4)]
  )


def test_a_photo_has_no_say_in_its_neighbours():
  rng = np.random.default_rng(0)
  corners = rng.uniform(0, 80, [2, 12, 2])
  boxes = np.concatenate([corners, corners + 60.0], axis=-1)
  found = {
    'detection_boxes': boxes[:, :5],
    'detection_classes': rng.integers(1, 4, [2, 5]),
    'detection_scores': rng.uniform(0, 1, [2, 5]),
    'num_detections': np.array([5, 3]),
  }
  scores = rng.uniform(0, 1, [2, 12, 2])

  def run(rows):
    return pooled_detections.pool(
      {
        key: tf.constant(value[rows], tf.float32)
        for key, value in found.items()
      },
      tf.constant(boxes[rows], tf.float32),
      tf.constant(scores[rows], tf.float32),
      (_CHAIR, _TABLE),
      4,
      0.9,
    )

  both = run(slice(0, 2))
  for row in range(2):
    alone = run(slice(row, row + 1))
    for key, value in alone.items():
      np.testing.assert_allclose(value[0], both[key][row], rtol=1e-5)
