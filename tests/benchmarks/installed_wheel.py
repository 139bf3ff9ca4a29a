"""Is the wheel enough? Built, installed in a fresh environment, and asked.

  python -m tests.benchmarks.installed_wheel --work_dir=W

Installs into W/venv (3 GB, minutes), predicts the three photos of the installed
tensorflow-graphics package from within W, outside of the checkout, and compares
what is written with the checkout's own: equal but for the order of equals. Exit
status 1 where it is not.
"""

import filecmp
import os
import pathlib
import subprocess
import sys
import time

from absl import app
from absl import flags

from mask2cad_tf.retrieval import default_gallery

_WORK_DIR = flags.DEFINE_string('work_dir', None, 'A folder, not there yet.')
_CLONE = pathlib.Path(__file__).resolve().parents[2]
_FILES = ('scene.json', 'scene.glb', 'overlay.png', 'scene.html')


def _run(*command, **options) -> None:
  print('$', *command, flush=True)
  subprocess.run(list(map(str, command)), check=True, **options)


def main(argv):
  """Builds, installs, predicts twice, compares."""
  del argv
  work = pathlib.Path(_WORK_DIR.value).resolve()
  work.mkdir(parents=True)
  binaries = work / 'venv' / 'bin'
  pip = (binaries / 'pip', 'install', '-q', '-c', _CLONE / 'constraints.txt')
  start = time.time()
  _run(
    sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '-w', work, _CLONE
  )
  (wheel,) = work.glob('*.whl')
  _run(sys.executable, '-m', 'venv', work / 'venv')
  _run(*pip, 'setuptools<81', 'wheel')
  _run(*pip, wheel)
  size = wheel.stat().st_size / 1e6
  print(
    f'{wheel.name}: {size:.0f} MB, installed in {time.time() - start:.0f} s'
  )
  photos = sorted(default_gallery.sample_photos().glob('img/*/*.png'))
  images = [f'--image={photo}' for photo in photos]
  clean = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
  _run(
    binaries / 'mask2cad-predict',
    *images,
    '--output_dir=OUT',
    cwd=work,
    env=clean,
  )
  here = work / 'checkout'
  _run(
    *(sys.executable, '-m', 'mask2cad_tf.predict', *images),
    f'--output_dir={here}',
    cwd=_CLONE,
  )
  differ = [
    f'{photo.stem}/{name}'
    for photo in photos
    for name in _FILES
    if not filecmp.cmp(
      work / 'OUT' / photo.stem / name, here / photo.stem / name, shallow=False
    )
  ]
  print(f'{len(photos)} photos; differ: {", ".join(differ) or "none"}')
  sys.exit(1 if differ else 0)


if __name__ == '__main__':
  flags.mark_flag_as_required('work_dir')
  app.run(main)
