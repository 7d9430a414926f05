#!/usr/bin/env python3
"""Writes repr.txt and float.txt beside itself: what CPython makes of edge cases.

repr.txt:  <bits, 16 hex digits> <repr of the float>
float.txt: <text> <bits of float(text), or "-" if it is refused>

Left out of float.txt, because package decimal differs from float() there by contract:
underscores, digits outside ASCII, white space. So is the empty text, which has no place
in a table of tokens. The seed is fixed: the same Python writes the same files.
"""

import itertools
import os
import random
import struct
from fractions import Fraction

HERE = os.path.dirname(os.path.abspath(__file__))
RANDOM = random.Random(20170821)


def bits(v):
    return struct.unpack("<Q", struct.pack("<d", v))[0]


def from_bits(n):
    return struct.unpack("<d", struct.pack("<Q", n))[0]


def neighbours(v, reach=2):
    """v and the floats up to reach steps from it, for a finite v >= 0."""
    n = bits(v)
    return [from_bits(k) for k in range(max(0, n - reach), n + reach + 1)]


def edge_floats():
    for e in range(-324, 309):
        yield from neighbours(float(f"1e{e}"), 1)
    for e in range(-1074, 1024, 7):
        yield from neighbours(2.0**e, 1)
    for n in (0, 1, 1 << 51, (1 << 52) - 1, 1 << 52, 0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000):
        yield from neighbours(from_bits(n))
    for n in (0x7FF8000000000000, 0x7FF8000000000001, 0xFFF8000000000000, 0x7FFFFFFFFFFFFFFF):
        yield from_bits(n)
    for v in (1e-4, 1e-5, 1e7, 1e8, 1e11, 1e12, 1e15, 1e16, 1e17, 2.0**53, 2.0**63, 123456789012345680.0):
        yield from neighbours(v, 5)
    for places in range(0, 10):  # decimals as people write them, and what sums of them become
        for _ in range(60):
            v = round(RANDOM.uniform(0, 10 ** RANDOM.randint(0, 12)), places)
            yield from neighbours(v, 1)
    for digits in (15, 16, 17):
        for _ in range(100):
            yield float(f"{RANDOM.randrange(10 ** (digits - 1), 10**digits)}e{RANDOM.randint(-30, 10)}")
    for _ in range(500):
        yield from_bits(RANDOM.getrandbits(63))


def exact(fraction):
    """The digits of a fraction whose denominator is a power of two."""
    shift = fraction.denominator.bit_length() - 1
    return f"{fraction.numerator * 5**shift}e-{shift}"


def halfway_texts():
    """Texts exactly between two floats, and just beside, in several spellings."""
    starts = [0, 1, 2, (1 << 52) - 1, 1 << 52, bits(1.0), bits(51.846), bits(2.0**53), bits(1e23), 0x7FEFFFFFFFFFFFFF]
    starts += [RANDOM.getrandbits(62) for _ in range(60)] + [bits(RANDOM.uniform(0, 1000)) for _ in range(60)]
    for n in starts:
        if n >= 0x7FF0000000000000:
            continue
        low = Fraction(from_bits(n))
        high = Fraction(2) ** 1024 if n == 0x7FEFFFFFFFFFFFFF else Fraction(from_bits(n + 1))
        digits, exponent = exact((low + high) / 2).split("e")
        yield f"{digits}e{exponent}"
        yield f"{digits}0000000001e{int(exponent) - 10}"
        yield f"{int(digits) * 10 - 1}e{int(exponent) - 1}"
        yield f"{digits[:1]}.{digits[1:]}{'0' * 900}1e{int(exponent) + len(digits) - 1}"
        for keep in (17, 19, 20, 21):
            if len(digits) > keep:
                yield f"{digits[:keep]}e{int(exponent) + len(digits) - keep}"


def texts():
    yield from halfway_texts()
    for sign, body in itertools.product(("", "-", "+"), (
        "10", "0", "0.0", ".5", "5.", "00012.50", "1e-3", "1E+5", "1e05", "1e400", "1e-400", "0e999999999", "inf", "Inf", "INFINITY",
        "Infinity", "iNf", "nan", "NaN", "NAN", "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308",
        "1797693134862315807e290", "1797693134862315808e290", "2.4703282292062327e-324", "2.4703282292062328e-324", "4.9e-324",
        "9007199254740993", "9007199254740992.5", "9007199254740993.0000", "18446744073709551616", "51.846000000000004",
        "", ".", "e5", ".e5", "1e", "1e+", "1e-", "1e5.", "1e5.0", "1.2.3", "1..2", "--1", "+-1", "1-", "1+1", "0x10", "0x1p3", "1p3", "0b1",
        "infin", "infinit", "infinityy", "in", "i", "nanx", "na", "nan(1)", "1f", "1d", "1L", "1j", "1,5", "1e5e5", "ee", "1ee5", "e", "$1", "#", "NULL",
    )):
        if sign + body:
            yield sign + body
    for _ in range(600):
        whole = str(RANDOM.getrandbits(RANDOM.randint(1, 90)))
        at = RANDOM.randint(0, len(whole))
        text = whole[:at] + RANDOM.choice((".", "", ".0")) + whole[at:]
        yield text + RANDOM.choice(("", "", f"e{RANDOM.randint(-345, 312)}"))
    for _ in range(300):
        yield "".join(RANDOM.choice("0123456789.eE+-infa") for _ in range(RANDOM.randint(1, 7)))
    for k in (1, 400, 5000):
        yield "0" * k + "1"
        yield "0." + "0" * k + f"1e{k + 1}"
        yield "1" + "0" * k + f"e-{k}"
        yield "0." + "3" * k


def float_bits(text):
    try:
        return f"{bits(float(text)):016x}"
    except ValueError:
        return "-"


def main():
    seen = dict.fromkeys(bits(v) for v in edge_floats())
    with open(os.path.join(HERE, "repr.txt"), "w", encoding="ascii") as out:
        for i, n in enumerate(seen):
            n |= (i % 4 == 0) << 63
            out.write(f"{n:016x} {from_bits(n)!r}\n")
    with open(os.path.join(HERE, "float.txt"), "w", encoding="ascii") as out:
        for text in dict.fromkeys(texts()):
            out.write(f"{text} {float_bits(text)}\n")


if __name__ == "__main__":
    main()
