import { expect, it } from 'vitest';
import { extentRange, joined, keyOf, levelOf, listOf, marked, parentOf, rowsOf, selectorOf, wanted, type Level } from './tree';

const one = (key: string) => ({ key, labels: { __name__: key }, first: 1000, last: 2000, value: '2.5', points: [[1000, '1'], [2000, '2.5']] });
const level = (children: object[], after?: string): Level => levelOf({ children, ...(after !== undefined && { after }) });
const tree = (open: string[], ...levels: [string, Level][]) => rowsOf(new Map(levels), new Set(open));
const shown = (rows: ReturnType<typeof rowsOf>) => rows.map((row) => `${'  '.repeat(row.depth)}${row.id}`);

const root = level([
  { name: 'cpu', path: 'cpu', metric: 1, below: 0, series: [one('cpu')] },
  { name: 'host', path: 'host', metric: 2, below: 3, series: [one('host;a=1'), one('host;a=2')] },
  { name: 'http', path: 'http', metric: 9, below: 0 },
]);

it('reads what came, whatever it is', () => {
  expect(root.children[0]?.series[0]).toMatchObject({ key: 'cpu', first: 1000, last: 2000, value: 2.5 });
  for (const odd of [undefined, null, 1, [], { children: 1 }, { children: [1, null] }, { series: [{ points: [1, [2]] }] }]) {
    expect(levelOf(odd).children).toEqual([]);
  }
});

it('asks for the top first', () => expect(wanted(tree([]))).toEqual([{ kind: 'prefix', text: '' }]));

it('shows what is open', () => {
  expect(shown(tree([], ['prefix ', root]))).toEqual(['series cpu', 'branch host', 'branch http']);
  const rows = tree(['host', 'http'], ['prefix ', root], ['prefix host.', level([{ name: 'mem', path: 'host.mem', metric: 1, below: 0, series: [one('host.mem')] }], 'x')]);
  expect(shown(rows)).toEqual(['series cpu', 'branch host', '  series host;a=1', '  series host;a=2', '  series host.mem', '  more prefix host.', 'branch http', '  more name http']);
  expect(wanted(rows)).toEqual([{ kind: 'name', text: 'http' }]);
  expect([parentOf(rows, 4), parentOf(rows, 7), parentOf(rows, 0)]).toEqual([1, 6, -1]);
});

it('lists what a filter found', () => {
  const source = { kind: 'match', text: 'cpu' } as const;
  const first = levelOf({ series: [one('a')], total: 2, after: 'x' });
  expect(shown(listOf(undefined, source))).toEqual([`more ${keyOf(source)}`]);
  expect(shown(listOf(first, source))).toEqual(['series a', `more ${keyOf(source)}`]);
  expect(shown(listOf(joined(first, levelOf({ series: [one('b')], total: 2 })), source))).toEqual(['series a', 'series b']);
});

it('spells what is to be plotted', () => {
  const odd = levelOf({ series: [{ key: 'k', labels: { __name__: 'disk.used%', host: 'a"b' }, points: [] }] }).series[0];
  expect(odd && selectorOf(odd)).toBe('{"disk.used%", host="a\\"b"}');
  expect(root.children.map(selectorOf)).toEqual(['cpu', 'host', 'http']);
});

it('shows a series over its own extent', () => {
  const now = Date.UTC(2026, 0, 1);
  const minute = 60_000;
  expect(extentRange(now - 3 * minute, now - 1000, now)).toEqual({ range: { last: 5 * minute }, alive: true });
  expect(extentRange(now - 3000 * minute, now - 1000, now)).toEqual({ range: { last: 7 * 1440 * minute }, alive: true });
  expect(extentRange(1000, 1000, now)).toEqual({ range: { from: 1000 - 30 * minute, to: 1000 + 30 * minute }, alive: false });
  expect(extentRange(0, 100 * minute, now)).toEqual({ range: { from: -2 * minute, to: 102 * minute }, alive: false });
  expect(extentRange(now, now + minute, now).alive).toBe(false);
});

it('marks the words of a filter', () => {
  const parts = (text: string, ...words: string[]) => marked(text, words).map((part) => (part.mark ? `[${part.text}]` : part.text)).join('');
  expect([parts('host.CPU.user', 'cpu'), parts('aXa', 'a', 'ax'), parts('abc'), parts('', 'a'), parts('İİa', 'a')]).toEqual(['host.[CPU].user', '[aX][a]', 'abc', '', 'İİa']);
});
