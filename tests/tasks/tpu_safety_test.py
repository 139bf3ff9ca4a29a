"""The training step is one that a TPU takes: statically, without a TPU."""

import tensorflow as tf

from tests.tasks import step_graph


def test_training_step_is_static(toy_data):
  # The paper's: tests/tasks/mask2cad_task_test.py, which traces it anyway.
  step, specs, parts = step_graph.trace('mask2cad_lite', toy_data)
  assert parts['task'].task_config.train_data.drop_remainder
  for spec in tf.nest.flatten(specs):
    assert spec.shape.is_fully_defined(), spec
    assert spec.dtype != tf.string, spec
  graph = step.get_concrete_function(*specs)
  assert not step_graph.faults(graph)
  # All of the step was looked at: every trained weight is written.
  written = [
    op.type
    for op in graph.graph.get_operations()
    if op.type.startswith('ResourceApply')
  ]
  assert len(written) == len(parts['model'].trainable_variables)


def _faults(function):
  inner = tf.function(function)
  spec = tf.TensorSpec([4], tf.float32)
  outer = tf.function(lambda x: inner(x) + 1)  # found in nested functions, too
  return step_graph.faults(outer.get_concrete_function(spec))


def test_what_is_static_passes():
  assert not _faults(lambda x: tf.reduce_sum(tf.where(x > 0.0, x, 0.0)))


def test_a_boolean_mask_is_found():
  found = _faults(lambda x: tf.reduce_sum(tf.boolean_mask(x, x > 0.0)))
  assert any(fault.startswith('denied: Where ') for fault in found)


def test_a_string_operation_is_found():
  found = _faults(lambda x: tf.strings.to_number(tf.strings.as_string(x)))
  assert any(fault.startswith('string: AsString ') for fault in found)


def test_a_dynamic_shape_is_found():
  found = _faults(lambda x: tf.reduce_sum(tf.range(tf.cast(x[0], tf.int32))))
  assert any(fault.startswith('dynamic: Range ') for fault in found)
