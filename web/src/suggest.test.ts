import { describe, expect, test } from 'vitest';
import { examplesOf, nearest } from './suggest';

describe('near names', () => {
  test.each([
    ['palm.cpx', ['palm.cpu', 'oak.cpu'], ['palm.cpu']],
    ['plam.cpu', ['palm.cpu', 'palm.disk'], ['palm.cpu']], // swapped
    ['palm_cpu', ['palm.cpu'], ['palm.cpu']],
    ['Palm.CPU', ['palm.cpu'], ['palm.cpu']],
    ['host.cpu', ['host.cpu.user', 'host.mem'], ['host.cpu.user']], // goes on
    ['htp_requests', ['http_requests_total', 'http_requests'], ['http_requests']],
    ['a', ['b', 'bc'], ['b']],
    ['palm.cpu', ['palm.cpu'], []], // is there: something else is wrong
    ['oak', ['elm', 'ash'], []],
  ])('of %s', (name, names, found) => expect(nearest(name, names)).toEqual(found));
  test('are few', () => expect(nearest('a.b', Array.from({ length: 50 }, (_, i) => `a.b${i}`))).toHaveLength(5));
});

describe('examples', () => {
  test.each([
    [['go_threads', 'metricd_puts'], ['go_threads', 'metricd_puts']],
    [['go_threads', 'palm.cpu'], ['palm.cpu']],
    [['a', 'b', 'c_total', 'd%'], ['a', 'b', 'rate(c_total[5m])']],
    [['go_threads', 'd%'], ['{"d%"}']],
    [[], []],
  ])('from %s', (names, queries) => expect(examplesOf(names)).toEqual(queries));
  test('from all over', () => {
    const names = Array.from({ length: 100 }, (_, i) => `n${i}`);
    expect(examplesOf(names)).toEqual(['n0', 'n25', 'n50', 'n75']);
  });
});
