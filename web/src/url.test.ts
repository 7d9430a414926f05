import { expect, it } from 'vitest';
import { fromHash, noState, toHash, type State } from './url';

const full: State = {
  queries: [
    { text: 'rate(palm.cpu{a="&=#%"}[5m])\n+ 1', unit: 'bytes/s', hidden: ['a{b="c"}', 'd'], only: [] },
    { text: '', hidden: [], only: ['x'] },
  ],
  range: { from: Date.UTC(2006, 5, 13), to: Date.UTC(2006, 5, 13) + 1500 },
  live: 5000,
  step: 60_000,
  style: 'points',
  view: 'table',
  log: true,
  zero: true,
  utc: true,
};

it('keeps all of a state', () => {
  expect(fromHash(toHash(full))).toEqual(full);
  expect(fromHash(toHash(noState))).toEqual(noState);
  const live = { ...full, range: { last: 5_400_000 } };
  expect(fromHash(toHash(live))).toEqual(live);
});

it('writes what people can read', () => {
  expect(toHash({ ...noState, queries: [{ text: 'palm.cpu', hidden: [], only: [] }], range: { last: 7_200_000 } })).toBe('#explore?q0=palm.cpu&range=2h');
});

it('reads anything', () => {
  for (const hash of ['', '#', '#explore', '#explore?range=x&live=-1&style=no&from=2006&step=', '#explore?q1=x', '#explore?q0.unit=no']) {
    expect(fromHash(hash)).toEqual(noState);
  }
});

it('asks no more than once a second', () => expect(fromHash('#explore?live=1ms').live).toBe(1000));
