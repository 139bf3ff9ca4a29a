"""Writes docs/configuration.md out of the config dataclasses.

python -m tests.docs.configuration_page      # or: make docs
"""

import dataclasses
import inspect
import re
from typing import Any
from typing import Dict
from typing import Iterator
from typing import List
from typing import Tuple

from official.core import config_definitions
from official.core import exp_factory
from official.modeling import optimization

from mask2cad_tf.configs import experiments
from mask2cad_tf.configs import mask2cad
from tests.docs import pages

PATH = pages.ROOT / 'docs' / 'configuration.md'
_EXPERIMENTS = (
  experiments.mask2cad_pix3d,
  experiments.mask2cad_scannet,
  experiments.mask2cad_lite,
  experiments.mask2cad_tiny,
)
_HEAD = """# Configuration

Made by `make docs` from the dataclasses of `mask2cad_tf/configs/mask2cad.py`.
A test compares the two: mend what is wrong there.

An experiment is a registered default. A YAML file goes on top of it, and single
values on top of that, by their path:

```bash
python -m mask2cad_tf.train --experiment=mask2cad_lite --mode=train_and_eval \\
    --config_file=configs/lite.yaml --model_dir=runs/lite \\
    --params_override='task.losses.temperature=0.2,trainer.train_steps=4000'
```

A path that does not exist is an error. What a training ran with is in
`params.yaml` of its folder. [train.md](train.md) has the commands around it;
symbols, tables and sections are the paper's.
"""
_EXPERIMENTS_HEAD = """## Experiments

Where a registered experiment differs from the defaults above and from Model
Garden's. `configs/*.yaml` add paths of files and what differs between data
sets.
"""


def render() -> str:
  """The whole page."""
  sections = [_section(*item) for item in own_configs().items()]
  return '\n'.join([_HEAD, *sections, _EXPERIMENTS_HEAD, _experiments()])


def meanings(config: type) -> Dict[str, str]:
  """What `Attributes:` says of a dataclass's fields, ours and inherited."""
  return _attributes(config.__doc__)


def _attributes(docstring: str) -> Dict[str, str]:
  """Field to meaning, lines joined."""
  section = inspect.cleandoc(docstring).partition('Attributes:\n')[2]
  entries = re.findall(r'^  (\w+): (.*(?:\n    .*)*)', section, re.M)
  return {name: ' '.join(text.split()) for name, text in entries}


def own_configs() -> Dict[type, List[str]]:
  """Each dataclass that is ours, from the task down, with its paths."""
  found = {}

  def walk(path: str, config: type) -> None:
    found.setdefault(config, []).append(path)
    for field in dataclasses.fields(config):
      if _is_own(field.type):
        walk(f'{path}.{field.name}', field.type)

  walk('task', mask2cad.Mask2CADTask)
  return found


def _is_own(kind: Any) -> bool:
  return getattr(kind, '__module__', '') == mask2cad.__name__


def _section(config: type, paths: List[str]) -> str:
  known = meanings(config)
  fields = {field.name: field for field in dataclasses.fields(config)}
  others = ', '.join(f'`{name}`' for name in fields if name not in known)
  base = config.__mro__[1].__module__
  return '\n'.join(
    [
      f'## {", ".join(f"`{path}`" for path in paths)}',
      '',
      config.__doc__.splitlines()[0],
      '',
      '| field | type | default | meaning |',
      '|---|---|---|---|',
      *(
        f'| `{name}` | {_type(fields[name])} | {_default(fields[name])} '
        f'| {meaning} |'
        for name, meaning in known.items()
      ),
      '',
      *(
        [f'Also, as Model Garden has them (`{base}`): {others}.\n']
        * bool(others)
      ),
    ]
  )


def _type(field: dataclasses.Field) -> str:
  if isinstance(field.type, type):
    return f'`{field.type.__name__}`'
  return f'`{re.sub("[a-z_0-9]+[.]", "", str(field.type))}`'


def _default(field: dataclasses.Field) -> str:
  value = field.default
  if value is dataclasses.MISSING:
    value = field.default_factory()
  return '' if dataclasses.is_dataclass(value) else f'`{value!r}`'


def _experiments() -> str:
  columns = [_differences(factory()) for factory in _EXPERIMENTS]
  lines = [
    f'* `{factory.__name__}`: {factory.__doc__.splitlines()[0]}'
    for factory in _EXPERIMENTS
  ]
  names = ' | '.join(factory.__name__ for factory in _EXPERIMENTS)
  lines += ['', f'| | {names} |', '|---|' + '---|' * len(columns)]
  for path in sorted(set().union(*columns)):
    cells = [f'`{x[path]}`' if path in x else '' for x in columns]
    lines.append(f'| `{path}` | {" | ".join(cells)} |')
  return '\n'.join([*lines, ''])


def _differences(config: config_definitions.ExperimentConfig) -> Dict[str, str]:
  """Path to value, where it is neither our default nor Model Garden's."""
  base = exp_factory.get_exp_config('mask2cad')
  chosen = config.trainer.optimizer_config
  base.trainer.optimizer_config = optimization.OptimizationConfig(
    {
      part: {'type': getattr(chosen, part).type}
      for part in ('optimizer', 'learning_rate', 'warmup')
    }
  )
  defaults = {x for x in _flatten(base.as_dict()) if not _is_choice(x[0])}
  return dict(x for x in _flatten(config.as_dict()) if x not in defaults)


def _is_choice(path: str) -> bool:
  return path.startswith('trainer.optimizer_config') and path.endswith('.type')


def _flatten(tree: Any, path: str = '') -> Iterator[Tuple[str, str]]:
  """(path, value as text) of every leaf."""
  if not isinstance(tree, dict):
    yield path, repr(tree)
    return
  for key, value in tree.items():
    yield from _flatten(value, f'{path}.{key}' if path else key)


if __name__ == '__main__':
  PATH.write_text(render(), encoding='utf-8')
  print(PATH)
