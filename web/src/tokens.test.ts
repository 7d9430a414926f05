import { describe, expect, it } from 'vitest';
import { filterBy, placeAt, renamed, selectors, spellName } from './tokens';

describe('selectors', () => {
  it.each([
    ['palm.cpu', ['palm.cpu']],
    ['rate(palm.cpu[5m]) / on (host) group_left (x) sum by (host) (b{c="d"})', ['palm.cpu', 'b']],
    ['sum(a) by (host) + b offset 5m', ['a', 'b']],
    ['{"disk.used%"} > bool 5', ['']],
    ['größe.x and b # c', ['größe.x', 'b']],
    ['"text"', []],
    ['max_over_time(x[5m:1m]) @ end()', ['x']],
  ])('of %s', (text, names) => expect(selectors(text).map(({ name }) => name)).toEqual(names));
});

describe('a filter', () => {
  it.each([
    ['palm.cpu', 'palm.cpu{host="a"}'],
    ['rate(b{c="d"}[5m])', 'rate(b{c="d",host="a"}[5m])'],
    ['a{} + b{c="}",}', 'a{host="a"} + b{c="}",host="a"}'],
    ['{"disk.used%"}', '{"disk.used%",host="a"}'],
    ['a{host="a"}', 'a{host="a"}'],
    ['a{', 'a{'],
  ])('of %s', (text, filtered) => expect(filterBy(text, 'host', 'a')).toBe(filtered));
  it('quotes', () => expect(filterBy('a', 'x.y', '"\\\n')).toBe('a{"x.y"="\\"\\\\\\n"}'));
});

describe('places', () => {
  it.each([
    ['rate(palm.', 'expression'],
    ['a{b', 'braces'],
    ['a{b="c', 'string'],
    ['a{b="c"', 'braces'],
    ['a{b="c"} + ', 'expression'],
    ['a[5', 'brackets'],
    ['a # b', 'comment'],
  ])('at the end of %s', (text, place) => expect(placeAt(text, text.length)).toBe(place));
});

describe('names', () => {
  it.each([
    ['palm.cpu', 'palm.cpu'],
    ['disk.used%', '{"disk.used%"}'],
    ['1st', '{"1st"}'],
    ['sum', 'sum'],
    ['and', '{"and"}'],
    ['a"b', '{"a\\"b"}'],
    ['größe', 'größe'],
  ])('%s', (name, spelled) => expect(spellName(name)).toBe(spelled));
});

describe('renaming', () => {
  it.each([
    ['rate(a.b[5m]) / a.c', 'a.x', 'rate(a.x[5m]) / a.c'],
    ['a.b{a.b="a.b"} # a.b', 'c', 'c{a.b="a.b"} # a.b'],
    ['a.b + 1', 'x%', '{"x%"} + 1'],
    ['a.b{c="d"}', 'x%', '{"x%",c="d"}'],
  ])('%s to %s', (query, to, text) => expect(renamed(query, 'a.b', to)).toBe(text));
});
