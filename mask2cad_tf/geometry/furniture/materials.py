"""Materials by kind; colours are linear RGB, as glTF's baseColorFactor."""

from typing import NamedTuple
from typing import Tuple

import numpy as np


class Material(NamedTuple):
  """A part's look: its name and metal-roughness shading."""

  name: str
  color: Tuple[int, int, int, int]  # linear RGBA, 0..255
  metallic: float
  roughness: float


# Kind -> (metallic, roughness, {name: sRGB}), sRGB as seen on a screen.
_PALETTES = {
  'wood': (
    0.0,
    0.6,
    {
      'oak': 0xB98F5E,
      'walnut': 0x6B4A31,
      'beech': 0xD2AE82,
      'cherry': 0x8C4F33,
      'pine': 0xD9B77E,
      'ebony': 0x33271F,
      'teak': 0x9A6B3F,
      'mahogany': 0x5E2C20,
    },
  ),
  'paint': (
    0.0,
    0.45,
    {
      'white': 0xECEAE4,
      'black': 0x222222,
      'grey': 0x8D9093,
      'cream': 0xE4D8BC,
      'sage': 0x93A58D,
      'navy': 0x2C3B55,
    },
  ),
  'fabric': (
    0.0,
    0.95,
    {
      'charcoal': 0x45484C,
      'beige': 0xC9B99C,
      'blue': 0x4C6A8C,
      'rust': 0xA4552F,
      'green': 0x5B7257,
      'mustard': 0xC29A3B,
      'grey': 0x94989B,
      'rose': 0xB98A86,
    },
  ),
  'leather': (
    0.0,
    0.5,
    {
      'cognac': 0x8C5230,
      'black': 0x26221F,
      'brown': 0x54382A,
      'ivory': 0xD8CCB5,
      'oxblood': 0x5A2123,
    },
  ),
  'linen': (
    0.0,
    0.95,
    {'white': 0xEFEDE8, 'sand': 0xD8CDB8, 'sky': 0xB4C6D4, 'lilac': 0xC4B6C9},
  ),
  'metal': (
    1.0,
    0.35,
    {
      'steel': 0xB4B8BC,
      'brass': 0xC2A15C,
      'gunmetal': 0x4B4F54,
      'copper': 0xB87A57,
    },
  ),
  'tool_steel': (
    1.0,
    0.4,
    {'bright': 0xBEC2C5, 'grey': 0x8A8F94, 'dark': 0x4B4F54},
  ),
  'iron': (0.6, 0.55, {'black_iron': 0x242424, 'bronze': 0x4E4033}),
  'plastic': (
    0.0,
    0.4,
    {
      'white': 0xE9E9E6,
      'black': 0x232426,
      'red': 0xB63A32,
      'yellow': 0xE0B43C,
      'teal': 0x2F8085,
      'grey': 0x9EA1A3,
    },
  ),
  'ceramic': (
    0.0,
    0.25,
    {
      'white': 0xEDEBE6,
      'celadon': 0x9DB8A5,
      'cobalt': 0x2F4D86,
      'terracotta': 0xB5694A,
      'ochre': 0xC49A55,
    },
  ),
  'stone': (
    0.0,
    0.4,
    {'marble': 0xDDD9D3, 'slate': 0x55595D, 'travertine': 0xC8B79C},
  ),
  'glass': (0.0, 0.1, {'clear': 0xBFD3D2, 'smoked': 0x6D7777}),
  'mirror': (1.0, 0.05, {'silver': 0xCFD6D8}),
  'paper': (
    0.0,
    1.0,
    {
      'red': 0x9C3D33,
      'blue': 0x3F5D86,
      'green': 0x4E6E50,
      'tan': 0xBDA27A,
      'plum': 0x69425A,
    },
  ),
  'plant': (0.0, 0.8, {'fern': 0x4C7A3F, 'olive': 0x6F7D45}),
  'soil': (0.0, 1.0, {'soil': 0x3B2C22}),
}


def _linear(value: int) -> int:
  """One sRGB channel, 0..255, to linear, 0..255."""
  v = value / 255
  v = v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
  return int(round(255 * v))


def named(kind: str, name: str) -> Material:
  """The material `kind` of colour `name`."""
  metallic, roughness, colors = _PALETTES[kind]
  srgb = colors[name]
  red, green, blue = (_linear(srgb >> shift & 255) for shift in (16, 8, 0))
  return Material(
    f'{kind}_{name}', (red, green, blue, 255), metallic, roughness
  )


def pick(rng: np.random.Generator, *kinds: str) -> Material:
  """A random material of one of the kinds."""
  kind = kinds[rng.integers(len(kinds))]
  names = sorted(_PALETTES[kind][2])
  return named(kind, names[rng.integers(len(names))])
