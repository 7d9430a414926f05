import { describe, expect, it } from 'vitest';
import { rawGaps, stepGaps } from './gaps';

/** every makes times from start, so many, so far apart. */
const every = (start: number, count: number, apart: number): number[] => Array.from({ length: count }, (_, i) => start + i * apart);
const broken = (gaps: Uint8Array): number[] => [...gaps].flatMap((gap, i) => (gap === 1 ? [i] : []));

describe('raw samples', () => {
  it('of every second with a hole of two minutes show the hole', () => {
    expect(broken(rawGaps([...every(0, 60, 1000), ...every(180_000, 60, 1000)]))).toEqual([60]);
  });
  it('of every hour are joined', () => expect(broken(rawGaps(every(0, 48, 3_600_000)))).toEqual([]));
  it('whose interval changes are two lines that meet', () => {
    expect(broken(rawGaps([...every(0, 30, 10_000), ...every(350_000, 30, 60_000)]))).toEqual([]);
  });
  it('show a single one amid a hole', () => {
    expect(broken(rawGaps([...every(0, 20, 1000), 60_000, ...every(120_000, 20, 1000)]))).toEqual([20, 21]);
  });
  it('may come late by a second', () => expect(broken(rawGaps([0, 1000, 2000, 4000, 5000, 6000, 8000, 9000]))).toEqual([]));
  it('are joined where there are two only', () => expect(broken(rawGaps([0, 86_400_000]))).toEqual([]));
  it('may be none', () => expect(broken(rawGaps([]))).toEqual([]));
});

describe('values of steps', () => {
  it('are joined step by step', () => expect(broken(stepGaps([0, 10, 20, 40, 50], 10))).toEqual([3]));
});
