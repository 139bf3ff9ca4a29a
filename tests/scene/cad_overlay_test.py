import numpy as np
import trimesh

from mask2cad_tf.geometry import posed_cad
from mask2cad_tf.scene import cad_overlay


def test_the_cad_covers_what_its_pose_and_scale_say(tmp_path):
  path = str(tmp_path / 'box.ply')
  trimesh.creation.box([1.0, 1.0, 0.01]).export(path)
  image = np.full([100, 160, 3], 255, np.uint8)
  cad = posed_cad.PosedCad(
    label=1,
    cad_id='chair/a',
    mesh=path,
    rotation=np.eye(3),
    translation=np.array([0.0, 0.0, 10.0]),
    box=np.array([80.0, 0.0, 100.0, 20.0]),
    mask=np.zeros([100, 160], bool),
    scale=np.array([4.0, 2.0, 1.0]),
  )
  intrinsics = np.array([100.0, 100.0, 80.0, 50.0])
  drawn = cad_overlay.draw(image, intrinsics, cad, 'chair', 0.5)
  assert drawn.shape == image.shape
  changed = (drawn != 255).any(axis=-1)
  # 4 x 2 units at depth 10, focal length 100: 40 x 20 pixels and a line.
  assert changed[42:58, 62:98].all()
  assert not changed[:35].any() and not changed[:60, :55].any()
  assert not changed[:60, 105:].any()
