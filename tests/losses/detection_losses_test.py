import numpy as np
import tensorflow as tf
from official.vision.tasks import retinanet

from mask2cad_tf.configs import mask2cad
from mask2cad_tf.losses import detection_losses

NUM_CLASSES, ANCHORS = 10, 3


def random_case(seed, any_positive=True):
  """Two levels of outputs and labels, 20 cells of 3 anchors each image."""
  rng = np.random.default_rng(seed)
  sizes = {'3': 4, '4': 2}

  def maps(depth):
    return {
      level: tf.constant(
        rng.standard_normal([2, size, size, ANCHORS * depth]), tf.float32
      )
      for level, size in sizes.items()
    }

  outputs = {'cls_outputs': maps(NUM_CLASSES), 'box_outputs': maps(4)}
  labels = {
    'cls_targets': {
      level: tf.constant(
        rng.integers(-1, NUM_CLASSES, [2, size, size, ANCHORS]), tf.int32
      )
      for level, size in sizes.items()
    },
    'box_targets': maps(4),
    'cls_weights': tf.constant(rng.integers(0, 2, [2, 60]), tf.float32),
    'box_weights': tf.constant(
      rng.integers(0, 2, [2, 60]) * any_positive, tf.float32
    ),
  }
  return outputs, labels


class DetectionLossesTest(tf.test.TestCase):
  def test_as_model_garden(self):
    config = mask2cad.Losses()
    outputs, labels = random_case(0)
    task_config = retinanet.exp_cfg.RetinaNetTask(losses=config)
    task_config.model.num_classes = NUM_CLASSES
    task = retinanet.RetinaNetTask(task_config)
    _, cls_loss, box_loss, _ = task.build_losses(outputs, labels)
    ours = detection_losses.detection_losses(
      outputs, labels, NUM_CLASSES, config
    )
    self.assertAllClose(ours['cls'], cls_loss)
    self.assertAllClose(ours['box'], box_loss)
    self.assertGreater(ours['box'], 0.0)

  def test_box_loss_by_hand(self):
    outputs, labels = random_case(1)
    labels['box_targets'] = {
      level: value - 1.0 for level, value in outputs['box_outputs'].items()
    }
    ours = detection_losses.detection_losses(
      outputs, labels, NUM_CLASSES, mask2cad.Losses()
    )
    # Every number errs by 1: Huber 0.15 * (1 - 0.075) = 0.13875, mean of four,
    # summed over n positive anchors, divided by n + 1.
    count = np.sum(labels['box_weights'])
    self.assertAllClose(ours['box'], 0.13875 * count / (count + 1), rtol=1e-4)

  def test_finite_without_positive_anchors(self):
    outputs, labels = random_case(2, any_positive=False)
    ours = detection_losses.detection_losses(
      outputs, labels, NUM_CLASSES, mask2cad.Losses()
    )
    self.assertEqual(ours['box'], 0.0)
    self.assertTrue(np.isfinite(ours['cls']))
