// Where lines are broken: a gap is a gap. Nothing is drawn where there are no samples.

/**
 * How much longer than its neighbours an interval between samples is that is a gap: one sample that is missing among regular ones
 * makes it twice as long, two make it three times.
 */
const factor = 3;

/** How many intervals on either side are its neighbours. */
const reach = 5;

/**
 * rawGaps says for each sample whether the line to it from the one before is broken (1). An interval is a gap if it is more than three times as
 * long as most of those around it, itself among them. So one-second samples with a hole of two minutes show the hole, hourly samples are joined,
 * and where a sender changes its interval both parts are lines. Times ascend.
 */
export function rawGaps(times: ArrayLike<number>): Uint8Array {
  const broken = new Uint8Array(times.length);
  for (let i = 1; i < times.length; i++) {
    const own = at(times, i) - at(times, i - 1);
    const first = Math.max(1, i - reach);
    const last = Math.min(times.length - 1, i + reach);
    let alike = 0;
    for (let k = first; k <= last; k++) {
      if ((at(times, k) - at(times, k - 1)) * factor >= own) {
        alike++;
      }
    }
    broken[i] = alike * 2 > last - first + 1 ? 0 : 1;
  }
  return broken;
}

/** stepGaps is rawGaps for what a query gave at each step: where a step has no value, the line is broken. */
export function stepGaps(times: ArrayLike<number>, step: number): Uint8Array {
  const broken = new Uint8Array(times.length);
  for (let i = 1; i < times.length; i++) {
    broken[i] = at(times, i) - at(times, i - 1) > step * 1.5 ? 1 : 0;
  }
  return broken;
}

function at(times: ArrayLike<number>, i: number): number {
  return times[i] ?? NaN;
}
