import { expect, it } from 'vitest';
import { differences, moved, replaced, withoutPlot, withPlot } from './arrange';
import { BadBoard, mostPlots, noBoard, noPlot, readBoard, titleOf, writeBoard, type Board } from './board';

const full: Board = {
  range: { from: Date.UTC(2006, 5, 13), to: Date.UTC(2006, 5, 14) + 1 },
  live: 0,
  plots: [
    { id: 0, query: 'palm.cpu{a="<b>"}', title: 'CPU ✓', unit: 'bytes/s', style: 'points', log: true, zero: true, wide: true, hidden: ['a{b="c"}'], only: ['__proto__'] },
    { ...noPlot, id: 1, query: 'sum(\n  oak.cpu)' },
  ],
};

it('keeps all of a board', () => {
  expect(readBoard(writeBoard(full))).toEqual(full);
  const live: Board = { ...full, range: { last: 5_400_000 }, live: 5000 };
  expect(readBoard(writeBoard(live))).toEqual(live);
  expect(readBoard(writeBoard(noBoard))).toEqual(noBoard);
});

it('writes what people can read, and nothing that need not be said', () => {
  expect(JSON.parse(writeBoard({ range: { last: 21_600_000 }, live: 10_000, plots: [{ ...noPlot, id: 7, query: 'up' }] }))).toEqual({ version: 1, range: '6h', live: '10s', plots: [{ query: 'up' }] });
});

it('reads the least that there is', () => expect(readBoard('{"version":1,"plots":[]}')).toEqual(noBoard));

it.each([
  ['{"version":1,', /not JSON/],
  ['[]', /no board/],
  ['null', /no board/],
  ['{"plots":[]}', /version is missing/],
  ['{"version":"1","plots":[]}', /version is "1"/],
  ['{"version":2,"plots":{}}', /version 2, which a newer metricd wrote/],
  ['{"version":1}', /plots is missing/],
  ['{"version":1,"plots":{}}', /plots is {}/],
  ['{"version":1,"plots":[3]}', /plots\[0\] is 3/],
  ['{"version":1,"plots":[{"query":"a"},{}]}', /plots\[1\]\.query is missing/],
  ['{"version":1,"plots":[{"query":"a","title":1}]}', /plots\[0\]\.title is 1/],
  ['{"version":1,"plots":[{"query":"a","unit":"constructor"}]}', /plots\[0\]\.unit is "constructor"/],
  ['{"version":1,"plots":[{"query":"a","style":"bars"}]}', /plots\[0\]\.style is "bars"/],
  ['{"version":1,"plots":[{"query":"a","log":"yes"}]}', /plots\[0\]\.log is "yes"/],
  ['{"version":1,"plots":[{"query":"a","hidden":[1]}]}', /plots\[0\]\.hidden\[0\] is 1/],
  ['{"version":1,"live":"soon","plots":[]}', /live is "soon"/],
  ['{"version":1,"range":"0","plots":[]}', /range is "0"/],
  ['{"version":1,"range":{"from":"yesterday","to":3},"plots":[]}', /range is {"from"/],
  [JSON.stringify({ version: 1, plots: Array.from({ length: mostPlots + 1 }, () => ({ query: 'a' })) }), /at most 100/],
])('says what is wrong with %s', (text, words) => {
  expect(() => readBoard(text)).toThrow(BadBoard);
  expect(() => readBoard(text)).toThrow(words);
});

it('calls a plot by its query if it has no title', () => {
  expect(full.plots.map(titleOf)).toEqual(['CPU ✓', 'sum( oak.cpu)']);
});

const three: Board = { ...noBoard, plots: ['a', 'b', 'c'].map((query, id) => ({ ...noPlot, query, id })) };
const queries = (board: Board | undefined): string => (board?.plots ?? []).map(({ query }) => query).join('');

it('arranges plots, and each stays who it is', () => {
  expect(queries(moved(three, 0, 1))).toBe('bac');
  expect(queries(moved(three, 0, 9))).toBe('bca');
  expect(queries(moved(three, 2, -1))).toBe('cab');
  expect(queries(moved(three, 9, 0))).toBe('abc');
  expect(moved(three, 2, 0).plots[0]).toBe(three.plots[2]);
  expect(queries(withoutPlot(three, 1))).toBe('ac');
  expect(queries(withPlot(three, { ...noPlot, query: 'd' }))).toBe('abcd');
  expect(queries(withPlot(three, { ...noPlot, query: 'd' }, 1))).toBe('adbc');
  expect(withPlot(withoutPlot(three, 0), { ...noPlot, query: 'd' })?.plots.map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(replaced(three, 1, { ...noPlot, query: 'd' }).plots[1]).toEqual({ ...noPlot, query: 'd', id: 1 });
  expect(queries(three)).toBe('abc');
});

it('has room for so many plots', () => {
  let board: Board | undefined = noBoard;
  for (let i = 0; i < mostPlots; i++) {
    board = board && withPlot(board, noPlot);
  }
  expect(board?.plots.length).toBe(mostPlots);
  expect(board && withPlot(board, noPlot)).toBeUndefined();
});

it('says how two boards differ', () => {
  expect(differences(three, readBoard(writeBoard(three)))).toEqual([]);
  expect(differences(three, moved(three, 0, 2))).toEqual(['The plots are in another order.']);
  expect(differences(three, withoutPlot(three, 1))).toEqual(['Only in yours: “b”.']);
  expect(differences(three, replaced(three, 1, { ...noPlot, query: 'b', title: 'B' }))).toEqual(['Only in yours: “b”.', 'Only in theirs: “B”.']);
  expect(differences(three, { ...three, range: { last: 60_000 } })).toEqual(['They open with another range.']);
});
