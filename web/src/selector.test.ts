import { expect, it } from 'vitest';
import { plainSelector, selectorsOf } from './selector';

const matcher = (name: string, value: string, type = '=') => ({ name, type, value });
const vector = (...matchers: object[]) => ({ type: 'vectorSelector', matchers, offset: 0, offsetExpr: null, timestamp: null, startOrEnd: null, anchored: false, smoothed: false });

it('finds the selectors of an expression', () => {
  const tree = { type: 'binaryExpr', lhs: { type: 'call', args: [{ ...vector(matcher('__name__', 'a.b%'), matcher('x', 'y"', '=~')), type: 'matrixSelector' }] }, rhs: vector(matcher('__name__', 'foo')) };
  expect(selectorsOf(tree)).toEqual([
    { text: '{__name__="a.b%",x=~"y\\""}', name: 'a.b%' },
    { text: '{__name__="foo"}', name: 'foo' },
  ]);
  expect(selectorsOf(vector(matcher('__name__', 'a', '=~')))[0]?.name).toBe('');
  for (const odd of [null, undefined, 1, 'x', [], {}, { type: 'numberLiteral', val: '1' }, { type: 'vectorSelector' }]) {
    expect(selectorsOf(odd)).toEqual([]);
  }
});

it('knows a plain selector', () => {
  const plain = vector(matcher('__name__', 'a'));
  expect(plainSelector({ type: 'parenExpr', expr: { ...plain, offset: 5 } })).toEqual({ text: '{__name__="a"}', offset: 5 });
  for (const other of [null, { type: 'call' }, { ...plain, timestamp: 1 }, { ...plain, startOrEnd: 'start' }, { ...plain, offsetExpr: {} }]) {
    expect(plainSelector(other)).toBeUndefined();
  }
});
