"""Makes the tasks and the `mask2cad*` experiments known to the trainer."""

from mask2cad_tf.configs import experiments  # noqa: F401
from mask2cad_tf.modeling.backbones import efficientnet_lite  # noqa: F401
from mask2cad_tf.modeling.backbones import imagenet_and_openimages  # noqa: F401
from mask2cad_tf.modeling.backbones import openimages_mobilenet  # noqa: F401
from mask2cad_tf.tasks import mask2cad  # noqa: F401
