"""CRC-32 of bytes that somebody else read (RFC 1952 section 8, the polynomial of gzip).

A CRC is a remainder of polynomials over GF(2), so that of `a + b` follows from those of `a` and `b` and the length of
`b` (as `crc32_combine` of zlib, which Python does not have). Polynomials are integers with the highest power in the
lowest bit, as CRC-32 has them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_POLYNOMIAL: Final = 0xEDB88320
_ONE: Final = 1 << 31


def _multiply(left: int, right: int) -> int:
    """The product of two polynomials modulo CRC-32's."""
    product = 0
    while left:
        if left & _ONE:
            product ^= right
        left = (left << 1) & 0xFFFFFFFF
        right = (right >> 1) ^ _POLYNOMIAL if right & 1 else right >> 1
    return product


def _squares() -> tuple[int, ...]:
    """The powers of x with the exponents 8, 16, 32 and so on, for lengths of up to 64 bits."""
    powers = [1 << 23]
    while len(powers) < 64:
        powers.append(_multiply(powers[-1], powers[-1]))
    return tuple(powers)


_SQUARES: Final = _squares()


@lru_cache(maxsize=256)
def _power(size: int) -> int:
    """The power of x with the exponent 8 times `size`; the readers of a group ask for the same few sizes."""
    power = _ONE
    for square in _SQUARES:
        if not size:
            break
        if size & 1:
            power = _multiply(square, power)
        size >>= 1
    return power


def shift(crc: int, size: int) -> int:
    """What a CRC, or the exclusive or of two, adds to that of its bytes with `size` more behind them.

    For any bytes, `crc32(a + b) == shift(crc32(a), len(b)) ^ crc32(b)`.

    Args:
        crc: 32 bits.
        size: bytes; below 2**64.
    """
    return _multiply(_power(size), crc)
