import pytest

from mask2cad_tf import number_type


@pytest.mark.parametrize(
  'flags, expected',
  [
    ('fpu avx avx2 fma', 'float32'),
    ('fpu avx2 avx512f avx512bw', 'float32'),
    ('fpu avx2 avx512f avx512_bf16 avx512bw', 'bfloat16'),
    ('fpu amx_bf16 amx_tile', 'bfloat16'),
  ],
)
def test_bfloat16_only_with_its_instructions(tmp_path, flags, expected):
  cpu_info = tmp_path / 'cpuinfo'
  cpu_info.write_text(f'processor\t: 0\nflags\t\t: {flags}\n\n')
  assert number_type.fastest(cpu_info) == expected


def test_a_system_without_the_file_takes_float32(tmp_path):
  assert number_type.fastest(tmp_path / 'cpuinfo') == 'float32'
