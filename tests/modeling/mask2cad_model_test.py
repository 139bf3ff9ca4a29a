"""The model: keys, shapes, gradients, freezing, modes."""

import copy

import numpy as np
import pytest
import tensorflow as tf

from mask2cad_tf.ops import roi_masks
from tests.modeling import training_batch

_DETECTION_SHAPES = {
  'detection_boxes': (4,),
  'detection_classes': (),
  'detection_scores': (),
  'detection_outer_boxes': (4,),
  'detection_masks': (32, 32),
  'detection_embeddings': (16,),
  'detection_rotations': (4,),
  'detection_pose_bins': (),
  'detection_centers': (2,),
}


@pytest.fixture
def inputs(tiny_config):
  return training_batch.random_inputs(tiny_config)


def _given(inputs):
  return {k: inputs[k] for k in ('images', 'roi_boxes', 'roi_classes')}


def _check_detections(outputs, batch, detections):
  for key, tail in _DETECTION_SHAPES.items():
    assert tuple(outputs[key].shape) == (batch, detections, *tail), key
    assert np.isfinite(outputs[key]).all(), key
  assert tuple(outputs['num_detections'].shape) == (batch,)
  for key in ('detection_classes', 'detection_pose_bins', 'num_detections'):
    assert outputs[key].dtype == tf.int32, key


def test_training_outputs_and_gradients(scratch, tiny_config, inputs):
  model = scratch
  outputs, variables, found = training_batch.gradients(model, inputs)
  shapes = training_batch.shapes_of(outputs)
  assert shapes == training_batch.expected_shapes(tiny_config)
  assert all(np.isfinite(x).all() for x in tf.nest.flatten(outputs))
  training_batch.check_every_head_learns(model, variables, found)
  assert np.min(outputs['prior_masks']) >= 0
  assert np.max(outputs['prior_masks']) <= 1 + 1e-6


def test_frozen_backbone_stays_bit_identical(scratch, inputs):
  model = scratch
  model.backbone.trainable = False
  before = model.backbone.get_weights()
  statistics = model.decoder.get_weights()
  optimizer = tf.keras.optimizers.legacy.SGD(0.1)
  _, variables, found = training_batch.gradients(model, inputs)
  optimizer.apply_gradients(zip(found, variables))
  for old, new in zip(before, model.backbone.get_weights()):
    np.testing.assert_array_equal(old, new)
  changed = [
    not np.array_equal(old, new)
    for old, new in zip(statistics, model.decoder.get_weights())
  ]
  # The rest did train, but for biases that a batch norm cancels.
  assert np.mean(changed) > 0.8


def test_a_trainable_backbone_does_move(scratch, inputs):
  # The negative control of the test above: statistics change by themselves.
  model = scratch
  before = model.backbone.get_weights()
  model(**inputs, training=True)
  changed = [
    not np.array_equal(old, new)
    for old, new in zip(before, model.backbone.get_weights())
  ]
  assert any(changed)


def test_heads_agree_between_modes_once_statistics_settle(scratch, inputs):
  # CAD heads have group norm: equal at once on equal features. The detector,
  # the mask heads and the view encoder have batch norm (momentum 0.9).
  model = scratch
  run = tf.function(lambda: model(**inputs, training=True))
  for _ in range(60):
    trained = run()
  settled = model(**_given(inputs), training=False)
  views = model.embed_views(inputs['views'])
  pairs = {
    'masks': (
      tf.sigmoid(trained['fine_mask_logits']),
      settled['detection_masks'],
    ),
    'embeddings': (
      trained['image_embeddings'],
      settled['detection_embeddings'],
    ),
    'views': (trained['view_embeddings'], views),
    'classes': (trained['cls_outputs']['4'], settled['cls_outputs']['4']),
  }
  for name, (training, inference) in pairs.items():
    gap = np.abs(training - inference).max()
    # A moving variance is unbiased; few samples leave n / (n - 1) to see.
    assert gap < 0.1 * np.ptp(training), name


def test_detections(tiny, tiny_config, inputs):
  outputs = tiny(inputs['images'], training=False)
  _check_detections(outputs, 2, 5)
  assert set(_DETECTION_SHAPES) | {
    'cls_outputs',
    'box_outputs',
    'num_detections',
  } == set(outputs)
  masks = outputs['detection_masks'].numpy()
  assert 0 <= masks.min() <= masks.max() <= 1
  np.testing.assert_allclose(
    np.linalg.norm(outputs['detection_rotations'], axis=-1), 1.0, rtol=1e-5
  )
  outer = roi_masks.outer_boxes(
    outputs['detection_boxes'], tiny_config.roi.outer_box_scale
  )
  np.testing.assert_allclose(outputs['detection_outer_boxes'], outer)


def test_padding_is_zero(tiny, inputs):
  # An untrained classifier says 0.01 everywhere, below the threshold 0.05: no
  # detection at all, only padding.
  outputs = tiny(inputs['images'], training=False)
  assert np.all(outputs['num_detections'].numpy() == 0)
  for key in ('detection_boxes', 'detection_classes', 'detection_scores'):
    assert np.all(outputs[key].numpy() == 0), key


def test_detections_carry_their_class_and_score(scratch, inputs):
  model = scratch
  bias = model.head._classifier.bias
  bias.assign(tf.tile([-9.0] * 7 + [2.0] + [-9.0] * 2, [3]))  # class 7
  outputs = model(inputs['images'], training=False)
  count = outputs['num_detections'].numpy()
  assert np.all(count > 0)
  valid = np.arange(5)[None] < count[:, None]
  np.testing.assert_array_equal(
    outputs['detection_classes'], np.where(valid, 7, 0)
  )
  scores = outputs['detection_scores'].numpy()
  assert np.all(scores[valid] > 0.5)


def test_work_is_done_for_what_scores_enough_and_stays_the_same(
  scratch, inputs
):
  model, images = scratch, inputs['images']
  bias = model.head._classifier.bias
  bias.assign(tf.tile([-9.0] * 7 + [2.0] + [-9.0] * 2, [3]))
  kernel = model.head._classifier.kernel
  kernel.assign(np.random.default_rng(0).normal(size=kernel.shape))
  everything = model(images, training=False)
  scores = everything['detection_scores'].numpy()
  bar = float(np.sort(scores[scores > 0])[len(scores[scores > 0]) // 2])
  outputs = model(images, training=False, min_score=bar)
  enough = scores >= bar
  assert 0 < enough.sum() < (scores > 0).sum()
  np.testing.assert_array_equal(outputs['num_detections'], enough.sum(axis=1))
  for key in _DETECTION_SHAPES:
    found, expected = outputs[key].numpy(), everything[key].numpy()
    np.testing.assert_allclose(
      found[enough], expected[enough], atol=1e-4, err_msg=key
    )
    if key != 'detection_rotations':  # there, padding is no rotation
      assert not found[:, enough.sum(axis=1).max() :].any(), key
  np.testing.assert_allclose(
    np.linalg.norm(outputs['detection_rotations'], axis=-1), 1.0, rtol=1e-5
  )


def test_given_boxes_take_the_detections_place(tiny, inputs):
  classes = tf.tensor_scatter_nd_update(
    inputs['roi_classes'], [[0, 3], [1, 2], [1, 3]], [0, 0, 0]
  )
  outputs = tiny(
    inputs['images'],
    roi_boxes=inputs['roi_boxes'],
    roi_classes=classes,
    training=False,
  )
  _check_detections(outputs, 2, 4)
  np.testing.assert_array_equal(outputs['num_detections'], [3, 2])
  np.testing.assert_array_equal(outputs['detection_boxes'], inputs['roi_boxes'])
  np.testing.assert_array_equal(outputs['detection_classes'], classes)
  np.testing.assert_array_equal(
    outputs['detection_scores'], [[1, 1, 1, 0], [1, 1, 0, 0]]
  )


def test_given_boxes_equal_detected_ones(scratch, inputs):
  model = scratch
  model.head._classifier.bias.assign(
    tf.tile([-9.0] * 3 + [2.0] + [-9.0] * 6, [3])
  )
  found = model(inputs['images'], training=False)
  again = model(
    inputs['images'],
    roi_boxes=found['detection_boxes'],
    roi_classes=found['detection_classes'],
    training=False,
  )
  for key in _DETECTION_SHAPES:
    if key != 'detection_scores':
      np.testing.assert_allclose(again[key], found[key], atol=1e-4)


def test_masks_redraw_detected_boxes(build_tiny, tiny_config, inputs):
  config = copy.deepcopy(tiny_config)
  config.roi.boxes_from_masks = True
  model = build_tiny(config)
  model.head._classifier.bias.assign(
    tf.tile([-9.0] * 3 + [2.0] + [-9.0] * 6, [3])
  )
  kernel, bias = model.fine_mask_head._predict.weights
  kernel.assign(tf.zeros_like(kernel))
  bias.assign(tf.fill(bias.shape, -9.0))
  side = float(config.input_size[0])
  photos = {
    'images': inputs['images'],
    'image_shape': tf.fill([2, 2], side),
    'training': False,
  }
  kept = model(**photos)  # all masks are empty
  bias.assign(tf.fill(bias.shape, 9.0))
  found = model(**photos)  # all fill the outer box
  drawn = tf.clip_by_value(kept['detection_outer_boxes'], 0.0, side)
  # At the photo's border less of an outer box is inside: its box may stay.
  redrawn = np.abs(found['detection_boxes'] - drawn).max(axis=-1) < 1e-3
  same = np.abs(found['detection_boxes'] - kept['detection_boxes']) < 1e-3
  assert redrawn.any()
  assert np.all(redrawn | same.all(axis=-1))
  np.testing.assert_allclose(
    found['detection_outer_boxes'], kept['detection_outer_boxes']
  )
  given = model(
    images=inputs['images'],
    roi_boxes=kept['detection_boxes'],
    roi_classes=kept['detection_classes'],
    training=False,
  )
  np.testing.assert_array_equal(
    given['detection_boxes'], kept['detection_boxes']
  )


def test_dynamic_batch_in_a_function(tiny, tiny_config, inputs):
  @tf.function(
    input_signature=[
      tf.TensorSpec([None, *tiny_config.input_size]),
      tf.TensorSpec([None, None, 4]),
      tf.TensorSpec([None, None], tf.int32),
    ]
  )
  def given(images, boxes, classes):
    return tiny(images, roi_boxes=boxes, roi_classes=classes, training=False)

  @tf.function(input_signature=[tf.TensorSpec([None, *tiny_config.input_size])])
  def detect(images):
    return tiny(images, training=False)

  _check_detections(detect(inputs['images'][:1]), 1, 5)
  _check_detections(detect(tf.tile(inputs['images'], [2, 1, 1, 1])), 4, 5)
  traced = given(*_given(inputs).values())
  eager = tiny(**_given(inputs), training=False)
  for key in _DETECTION_SHAPES:
    np.testing.assert_allclose(traced[key], eager[key], atol=1e-4, err_msg=key)
  _check_detections(given(*(v[:1] for v in _given(inputs).values())), 1, 4)


def test_image_shape_clips_detections(scratch, inputs):
  model = scratch
  model.head._classifier.bias.assign(tf.fill([30], 2.0))
  shape = tf.constant([[64.0, 48.0], [64.0, 48.0]])
  outputs = model(inputs['images'], image_shape=shape, training=False)
  assert np.max(outputs['detection_boxes'][..., 2]) <= 64.0
  assert np.max(outputs['detection_boxes'][..., 3]) <= 48.0


def test_what_is_seen_in_the_padding_is_no_detection(build_tiny, inputs):
  model = build_tiny()
  # Of five, the second and the fourth lie right of a photo 48 pixels wide and
  # are clipped to its edge; the fifth is padding.
  found = {
    'detection_boxes': [
      [0, 0, 30, 20],
      [0, 48, 40, 48],
      [5, 6, 7, 8],
      [60, 48, 64, 48],
      [0, 0, 0, 0],
    ],
    'detection_classes': [1, 2, 3, 4, 0],
    'detection_scores': [0.9, 0.8, 0.7, 0.6, 0.0],
  }
  found = {
    key: tf.constant([value], tf.float32) for key, value in found.items()
  }
  found['num_detections'] = tf.constant([4])
  model._detection_generator = lambda *unused: found
  outputs = model(inputs['images'][:1], training=False)
  assert outputs['num_detections'] == [2]
  np.testing.assert_array_equal(outputs['detection_classes'], [[1, 3, 0, 0, 0]])
  np.testing.assert_allclose(
    outputs['detection_scores'], [[0.9, 0.7, 0.0, 0.0, 0.0]], rtol=1e-6
  )
  np.testing.assert_array_equal(
    outputs['detection_boxes'][0, :3],
    [[0, 0, 30, 20], [5, 6, 7, 8], [0, 0, 0, 0]],
  )
  for key in _DETECTION_SHAPES:
    assert np.isfinite(outputs[key]).all(), key


def test_views_are_embedded_alone(tiny, inputs):
  views = inputs['views']
  embedded = tiny.embed_views(views)
  assert embedded.shape == (2, 2, 4, 16)
  np.testing.assert_allclose(
    tiny.embed_views(views[1, 0, 2]), embedded[1, 0, 2], atol=1e-5
  )


def test_mask_gradient_is_stopped_by_default(build_tiny, tiny_config, inputs):
  def coarse_gradient(stop):
    config = tiny_config.replace()
    config.cad_head.stop_mask_gradient = stop
    model = build_tiny(config)
    with tf.GradientTape() as tape:
      outputs = model(**inputs, training=True)
      loss = tf.reduce_sum(outputs['image_embeddings'] ** 2)
    return tape.gradient(loss, model.coarse_mask_head.trainable_variables)

  assert all(g is None for g in coarse_gradient(True))
  assert any(g is not None for g in coarse_gradient(False))


def test_cad_branches_may_see_features_without_the_mask(
  build_tiny, tiny_config, inputs
):
  def embeddings(use_mask, mask_bias):
    config = tiny_config.replace()
    config.cad_head.use_mask = use_mask
    tf.keras.utils.set_random_seed(1)
    model = build_tiny(config)
    given = _given(inputs)
    model(**given, training=False)
    bias = model.coarse_mask_head.trainable_variables[-1]
    bias.assign(tf.fill(bias.shape, mask_bias))
    return model(**given, training=False)['detection_embeddings']

  assert not np.allclose(embeddings(True, -3.0), embeddings(True, 3.0))
  np.testing.assert_array_equal(embeddings(False, -3.0), embeddings(False, 3.0))


def test_arguments_that_a_mode_needs(tiny, inputs):
  with pytest.raises(ValueError, match='roi_boxes and roi_classes together'):
    tiny(inputs['images'], roi_boxes=inputs['roi_boxes'], training=False)
  with pytest.raises(ValueError, match='training needs .* views'):
    tiny(**_given(inputs), training=True)


def test_features_take_the_images_place(tiny, inputs):
  # What records may hold: the backbone's levels, those not read left out.
  features = tiny.backbone(inputs['images'], training=False)
  assert '2' in features
  del features['2']
  given = _given(inputs)
  expected = tiny(**given, training=False)
  found = tiny(**{**given, 'images': features}, training=False)
  assert set(found) == set(expected)
  for key in _DETECTION_SHAPES:
    np.testing.assert_allclose(found[key], expected[key], atol=1e-5)
  detected = tiny(inputs['images'], training=False)
  again = tiny(features, training=False)
  for key in ('cls_outputs', 'box_outputs'):
    for level, value in detected[key].items():
      np.testing.assert_allclose(again[key][level], value, atol=1e-5)


@pytest.fixture(scope='module', name='lite_config')
def _lite_config(tiny_config):
  """The tiny model with what mask2cad_lite has besides."""
  config = tiny_config.replace()
  config.override(
    {
      'roi': {'fused_filters': 8, 'square': True},
      'cad_head': {'pool_size': 2, 'grid_size': 2},
      'pose': {'delta_per_bin': True, 'num_view_rotations': 5},
    }
  )
  return config


@pytest.fixture(scope='module', name='lite')
def _lite(build_tiny, lite_config):
  model = build_tiny(lite_config)
  rng = np.random.default_rng(0)
  model.shape_prior_head.priors.assign(
    rng.uniform(size=model.shape_prior_head.priors.shape)
  )
  return model


def test_fused_map_grid_and_square_boxes(lite, lite_config, inputs):
  outputs, variables, found = training_batch.gradients(lite, inputs)
  shapes = training_batch.shapes_of(outputs)
  expected = training_batch.expected_shapes(lite_config)
  expected['pose_deltas'] = (2, 4, 10, 16, 4)  # one a bin
  assert shapes == expected
  training_batch.check_every_head_learns(lite, variables, found)
  learned = {id(v) for v, g in zip(variables, found) if np.abs(g).max() > 0}
  kernels = [
    v for v in lite.roi_pyramid.trainable_variables if v.shape.rank > 1
  ]
  assert len(kernels) == 4
  assert {id(v) for v in kernels} <= learned
  assert lite.view_rotations.shape == (10, 5, 4)
  assert lite.view_rotations_valid.shape == (10, 5)
  detections = lite(**_given(inputs), training=False)
  sides = (
    detections['detection_outer_boxes'][..., 2:]
    - detections['detection_outer_boxes'][..., :2]
  )
  boxes = inputs['roi_boxes']
  longer = np.max(boxes[..., 2:] - boxes[..., :2], axis=-1, keepdims=True)
  np.testing.assert_allclose(
    sides, np.repeat(1.25 * longer, 2, axis=-1), rtol=1e-5
  )


def test_a_branch_is_computed_alone(lite, inputs):
  both = lite(**inputs, training=True)
  detection = lite(inputs['images'], training=True, branches=['detection'])
  assert set(detection) == {'cls_outputs', 'box_outputs'}
  objects = lite(**inputs, training=True, branches=['objects'])
  assert set(objects) == set(both) - set(detection)
  # Batch statistics of the same batch: the same numbers alone and together.
  for level, value in both['cls_outputs'].items():
    np.testing.assert_allclose(
      detection['cls_outputs'][level], value, atol=1e-4
    )
  for key, value in objects.items():
    np.testing.assert_allclose(value, both[key], atol=1e-3, err_msg=key)


def test_branches_share_no_part(lite, tiny):
  for model in (lite, tiny):
    parts = {
      branch: {id(v) for p in model.branch_parts(branch) for v in p.variables}
      for branch in ('detection', 'objects')
    }
    assert not parts['detection'] & parts['objects']
    rest = {id(v) for v in model.backbone.variables}
    if model is tiny:  # RoIs are cropped from the detector's FPN
      rest |= {id(v) for v in model.decoder.variables}
    assert {id(v) for v in model.variables} == rest.union(*parts.values())


def test_style_noise_is_for_training(lite, build_tiny, lite_config, inputs):
  config = lite_config.replace()
  config.style_noise = 1.0
  noisy = build_tiny(config)
  noisy.set_weights(lite.get_weights())
  tf.random.set_seed(3)  # of two photos one or both change
  outputs = [model(**inputs, training=True) for model in (lite, noisy)]
  for read in (
    lambda output: output['cls_outputs']['3'].numpy(),
    lambda output: output['fine_mask_logits'].numpy(),
    lambda output: output['image_embeddings'].numpy(),
  ):
    plain, changed = (read(output) for output in outputs)
    assert np.abs(plain - changed).max() > 0.1 * plain.std()
  np.testing.assert_allclose(  # views are rendered when used, too
    outputs[0]['view_embeddings'], outputs[1]['view_embeddings'], atol=1e-4
  )
  detected = [
    model(inputs['images'], training=False)['cls_outputs']['3']
    for model in (lite, noisy)
  ]
  np.testing.assert_allclose(*detected, atol=1e-4)


@pytest.mark.parametrize('branches', [[], ['detection', 'masks']])
def test_unknown_branches_are_refused(tiny, inputs, branches):
  with pytest.raises(ValueError, match='detection, objects.*train_branches'):
    tiny(**inputs, training=True, branches=branches)


@pytest.mark.parametrize('name', ['tiny', 'lite'])
def test_checkpoint_items_cover_every_variable(name, request):
  tiny = request.getfixturevalue(name)
  covered = {
    id(v) for item in tiny.checkpoint_items.values() for v in item.variables
  }
  assert {id(v) for v in tiny.variables} == covered
