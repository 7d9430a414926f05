"""Makes small.put: python3 small.py > small.put"""

import random

r = random.Random(1150864247)
spaces = [" ", "  ", "\t", " \t "]
ends = ["\n", "\n", "\r\n", " \n", "\t\r\n", "\n\n", "\n \t\n"]
tags = ["host=a", "core=1", "zone=ü"]
for i in range(600):
    time = 1150864247 + 10 * (i - r.choice([0, 0, 0, 0, 1, 7, 300]))  # late and repeated ones
    if i % 50 == 49:
        time = r.choice([-9 * 10**15, 9 * 10**15, 0, -1])
    key = r.choice(["palm.cpu", "palm.mem", "disk.used%", ";", "tagged"])
    if key == "tagged":
        r.shuffle(tags)
        key = ";".join([key, *tags])
    value = r.choice([f"{r.uniform(-1, 1) * 10 ** r.randint(-8, 20)!r}", f"{r.uniform(0, 100):.2f}", str(r.randint(0, 99)),
                      r.choice(["nan", "NaN", "inf", "-Infinity", "-0", ".5", "5.", "+7", "1e400", "1e-400", "4.9e-324", "1E+16"])])
    words = ["put", key, value, f"{time:+d}" if i % 40 == 3 else str(time)]
    lead = " " if i % 30 == 5 else ""
    print(lead + "".join(w + r.choice(spaces) for w in words[:3]) + words[3], end=r.choice(ends))
