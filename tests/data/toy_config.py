"""Small model and data configurations on the toy dataset."""

from mask2cad_tf.configs import mask2cad
from tests import toy


def model(frame: str = 'allocentric', size: int = 128) -> mask2cad.Mask2CAD:
  config = mask2cad.Mask2CAD(
    num_classes=1 + len(toy.CLASS_NAMES),
    class_names=list(toy.CLASS_NAMES),
    input_size=[size, size, 3],
    min_level=3,
    max_level=5,
  )
  config.roi.crop_size = 16
  config.pose.rotation_frame = frame
  return config


def data(
  toy_data: toy.ToyData, is_training: bool = True, **parser
) -> mask2cad.DataConfig:
  config = mask2cad.DataConfig(
    is_training=is_training,
    input_path=toy_data.image_records,
    views_path=toy_data.view_records,
    global_batch_size=2,
    shuffle_buffer_size=16,
  )
  config.parser.override(parser)
  return config
