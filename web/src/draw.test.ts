import { expect, test } from 'vitest';
import { bounds } from './draw';
import { within, type Series } from './series';

const hours: Series = {
  name: 'a',
  labels: {},
  times: Float64Array.of(0, 10, 20, 30, 40),
  values: Float64Array.of(-100, 10, 20, 30, 100),
  gaps: Uint8Array.of(0, 0, 0, 0, 0),
};

test('a part of a series knows what is around it', () => {
  const part = within(hours, 10, 30);
  expect([...part.times]).toEqual([10, 20, 30]);
  expect([...part.values]).toEqual([10, 20, 30]);
  expect(part.around?.times).toBe(hours.times);
  expect(within(hours, 11, 19).times).toHaveLength(0);
});

test('the axis has room for lines that enter and leave', () => {
  expect(bounds([within(hours, 10, 30)], false, 10, 30)).toEqual([10, 30]);
  expect(bounds([within(hours, 5, 35)], false, 5, 35)).toEqual([-45, 65]);
  expect(bounds([within(hours, 5, 35)], true, 5, 35)).toEqual([10, 65]);
  expect(bounds([within({ ...hours, gaps: Uint8Array.of(0, 1, 0, 0, 1) }, 5, 35)], false, 5, 35)).toEqual([10, 30]);
  expect(bounds([within(hours, -50, 90)], false, -50, 90)).toEqual([-100, 100]);
  expect(bounds([within(hours, 11, 19)], false, 11, 19)).toBeUndefined();
  expect(bounds([hours], false, 0, 40)).toEqual([-100, 100]);
});
