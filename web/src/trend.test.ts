import { expect, it } from 'vitest';
import { trendPath } from './trend';

const series = (times: number[], values: number[], gaps = times.map((_, i) => (i === 0 ? 1 : 0))) => ({
  times: Float64Array.from(times),
  values: Float64Array.from(values),
  gaps: Uint8Array.from(gaps),
});
const span = { from: 0, to: 100 };

it('spans the box', () => expect(trendPath(series([0, 50, 100], [1, 3, 2]), span, false)).toBe('M0.00 31.00L50.00 1.00L100.00 16.00'));
it('begins at zero where that is asked', () => expect(trendPath(series([0, 100], [1, 2]), span, true)).toBe('M0.00 16.00L100.00 1.00'));
it('leaves gaps open, and shows what is alone', () => {
  expect(trendPath(series([0, 50, 100], [1, 1, 1], [1, 1, 0]), span, false)).toBe('M0.00 16.00h0M50.00 16.00L100.00 16.00');
  expect(trendPath(series([0, 50, 100], [1, NaN, 1]), span, false)).toBe('M0.00 16.00h0M100.00 16.00h0');
});
it('lies at the bottom if all is zero', () => expect(trendPath(series([0, 100], [0, 0]), span, true)).toBe('M0.00 31.00L100.00 31.00'));
it('hardly moves for what hardly changes', () => {
  expect(trendPath(series([0, 50, 100], [10000, 10001, 10000]), span, false)).toBe('M0.00 16.07L50.00 15.93L100.00 16.07');
  expect(trendPath(series([0, 100], [-5, -5]), span, false)).toBe('M0.00 16.00L100.00 16.00');
});
it('is nothing for nothing', () => expect(trendPath(series([], []), span, true)).toBe(''));
