"""Prints what `metricd get '*'` must print after `metricd put -f FILE` on an empty server."""

import gzip
import sys

data = open(sys.argv[1], "rb").read()
if data[:2] == b"\x1f\x8b":
    data = gzip.decompress(data)
series = {}
for line in data.decode().splitlines():
    if line.split():
        _, key, value, timestamp = line.split()
        name, *tags = key.split(";")
        first, samples = series.setdefault((name, *sorted(tags)), (key, {}))
        samples[int(timestamp)] = float(value)
for key, samples in series.values():
    for timestamp in sorted(samples):
        print(key, repr(samples[timestamp]), timestamp)
