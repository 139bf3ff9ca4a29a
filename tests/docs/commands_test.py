"""Commands in the pages' code exist, with the flags that they are given."""

import pytest

from tests.colab import notebooks
from tests.docs import commands
from tests.docs import pages


def _faults(text):
  """What is wrong with the commands of a page, a line each."""
  found = []
  for command in commands.find(text):
    if not commands.source(command.module):
      found.append(f'no module {command.module}')
      continue
    verbs = commands.verbs_of(command.module)
    found += [f'no verb {x}' for x in command.words if verbs and x not in verbs]
    known = commands.flags_of(command.module)
    for name, value in command.flags:
      flag = known.get(name)
      if name.startswith('no') and not flag:
        flag = known.get(name[2:])
        flag = flag if flag and flag.is_boolean else None
      if not flag and name != 'help':
        found.append(f'{command.module} has no --{name}')
      elif value and flag and flag.choices and value not in flag.choices:
        found.append(f'{command.module} --{name} is never {value}')
  for words in commands.find_make(text):
    for word in words:
      variable, is_variable, _ = word.partition('=')
      if is_variable and variable not in commands.make_variables():
        found.append(f'the Makefile does not read {variable}')
      elif not is_variable and word not in commands.make_targets():
        found.append(f'no make {word}')
  return found


@pytest.mark.parametrize('page', pages.PAGES, ids=pages.name)
def test_every_command_exists(page):
  assert not _faults(page.read_text())


@pytest.mark.parametrize('path', sorted(pages.ROOT.glob('configs/**/*.y*ml')))
def test_commands_in_yaml_files_exist(path):
  comments = [x[1:] for x in path.read_text().splitlines() if x[:1] == '#']
  text = '\n'.join(['```', *comments, '```'])
  assert not _faults(text)


@pytest.mark.parametrize('name', notebooks.NAMES)
def test_commands_in_notebooks_exist(name):
  cells = [cell for cell in notebooks.read(name).cells if 'source' in cell]
  lines = [
    line.lstrip(' !')
    for cell in cells
    for line in cell.source.splitlines()
    if line.lstrip().startswith('!python')
  ]
  assert lines
  assert not _faults('\n'.join(['```', *lines, '```']))


@pytest.mark.parametrize(
  'code, fault',
  [
    ('python -m mask2cad_tf.predct', 'no module mask2cad_tf.predct'),
    ('python -m mask2cad_tf predct', 'no module mask2cad_tf.predct'),
    ('mask2cad-predct --image=a', 'no module mask2cad_tf.predct'),
    (
      'python -m mask2cad_tf.predict --no_such=1 [--depth=2]',
      'mask2cad_tf.predict has no --no_such',
    ),
    (
      'python -m mask2cad_tf.predict --noimage',
      'mask2cad_tf.predict has no --noimage',
    ),
    (
      'python -m mask2cad_tf.export --dtype=float16',
      'mask2cad_tf.export --dtype is never float16',
    ),
    ('python -m mask2cad_tf.gallery bild --gallery=G', 'no verb bild'),
    (
      'python -m mask2cad_tf.train \\\n  --experimant=x',
      'mask2cad_tf.train has no --experimant',
    ),
    (
      'E="python -m mask2cad_tf.evaluate"\n$E --refin',
      'mask2cad_tf.evaluate has no --refin',
    ),
    (
      'python -m tfrecords_tools.pix3d --runnner=x',
      'tfrecords_tools.pix3d has no --runnner',
    ),
    ('make native && make no-such', 'no make no-such'),
    ('make demo PYTHN=python3.11', 'the Makefile does not read PYTHN'),
  ],
)
def test_wrong_commands_are_seen(code, fault):
  assert _faults(f'text\n```bash\n{code}\n```\n') == [fault]
  if '\n' not in code:
    assert _faults(f'Say `{code}`.') == [fault]


def test_right_commands_are_not():
  lines = (
    '```',
    'python -m mask2cad_tf.predict --image=a.jpg --norefine  # --top=5',
    "python -m mask2cad_tf.train --mode=train --params_override='a=1, b=2'",
    'python -m tfrecords_tools.pix3d --pix3d_dir=P --help | head --lines=3',
    'make train-lite PIX3D=DIR',
    "pip install 'mask2cad-tf[heif]'",
    '```',
  )
  text = '\n'.join(lines)
  assert len(commands.find(text)) == 3
  assert not _faults(text)
