"""Colours that Sweet Home 3D's own models name without an MTL file.

The models of the program's jar use names that its OBJ reader knows by heart.
The colours here are chosen after the names.
"""

NAME = 'built_in_materials.mtl'

_SRGB = {
  'amber': 0xC58F4E,
  'archwhite': 0xF2EFE6,
  'archwhite2': 0xEAE6DA,
  'black': 0x202020,
  'bluegrey': 0x6E7F92,
  'bluteal': 0x2F8088,
  'bone': 0xE3DAC3,
  'bone2': 0xD9CDB0,
  'brown': 0x6B4730,
  'brzskin': 0xA8744F,
  'dkblue': 0x24365E,
  'dkdkgrey': 0x353535,
  'dkgrey': 0x565656,
  'dkred': 0x7A1E1E,
  'flblack': 0x262626,
  'flblonde': 0xD8B988,
  'flbrown': 0x80583A,
  'fldkdkgrey': 0x3A3A3A,
  'fldkgrey': 0x5C5C5C,
  'flesh': 0xDDB294,
  'flgrey': 0x8C8C8C,
  'flltbrown': 0xA67C52,
  'flltgrey': 0xB8B8B8,
  'florange': 0xD47F2E,
  'fltan': 0xC8AD85,
  'flwhite': 0xF0F0F0,
  'flwhite1': 0xECECEC,
  'flyellow': 0xDDC65A,
  'grey': 0x868686,
  'iris': 0x5D70A8,
  'lavendar': 0xA79BC4,
  'lighttan': 0xD6C09A,
  'lighttan2': 0xD0B88E,
  'lighttannew': 0xD3BC94,
  'ltgrey': 0xBEBEBE,
  'offwhite.warm': 0xEFE9DC,
  'red': 0xB52B27,
  'redwood': 0x7C4230,
  'ruby': 0x8E1F36,
  'sand_stone': 0xC9B48F,
  'ship2': 0x9AA0A6,
  'silver': 0xC4C6C8,
  'sky_blue': 0x8FB7D8,
  'tan': 0xC2A67C,
  'white': 0xF4F4F4,
  'white.001': 0xF4F4F4,
  'yellow': 0xD9C23A,
  'yellow_green': 0x9DB04A,
  'yellowbrt': 0xE8D548,
}
_METALS = ('silver',)


def mtl() -> bytes:
  """The materials as an MTL file."""
  lines = []
  for name, color in _SRGB.items():
    rgb = ' '.join(f'{(color >> s & 255) / 255:.4f}' for s in (16, 8, 0))
    shine = 0.5 if name in _METALS else 0.0
    lines += [f'newmtl {name}', f'Kd {rgb}', f'Ks {shine} {shine} {shine}']
    lines += ['Ns 40']
  return '\n'.join(lines).encode() + b'\n'


def add_to(obj: bytes) -> bytes:
  """The OBJ, with a reference to the materials where it names no file."""
  if b'mtllib' in obj:
    return obj
  return f'mtllib {NAME}\n'.encode() + obj
