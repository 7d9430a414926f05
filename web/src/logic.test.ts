import { describe, expect, it } from 'vitest';
import { tickLabels } from './times';
import { toCSV } from './csv';
import { brief, locate } from './errors';
import { plainSelector } from './selector';
import { indexAt, seriesName, summarize, type Series } from './series';
import { format, guessUnit } from './units';

const series = (labels: Record<string, string>, points: [number, number][]): Series => ({
  name: seriesName(labels),
  labels,
  times: Float64Array.from(points.map(([time]) => time)),
  values: Float64Array.from(points.map(([, value]) => value)),
  gaps: new Uint8Array(points.length),
});

describe('errors', () => {
  it('are found in the text', () => {
    expect(locate('invalid parameter "query": 1:6: parse error: expected type range vector', 'rate(foo)')).toEqual({ text: 'expected type range vector', from: 5, to: 8 });
  });
  it('count bytes, and lines', () => {
    expect(locate('1:4: parse error: x', 'é{')).toEqual({ text: 'x', from: 2, to: 2 });
    expect(locate('2:3: parse error: x', '"😀" +\n  )')).toEqual({ text: 'x', from: 9, to: 10 });
  });
  it('may have no place, or one that is not there', () => {
    expect(locate('too many samples', 'x')).toBeUndefined();
    expect(locate('9:99: parse error: x', 'abc')).toEqual({ text: 'x', from: 3, to: 3 });
  });
  it('are told briefly', () => expect(brief('invalid parameter "query": 1:2: parse error: x')).toBe('1:2: x'));
});

describe('names of series', () => {
  it.each([
    [{ __name__: 'palm.cpu' }, 'palm.cpu'],
    [{ __name__: 'cpu', host: 'a', core: '1' }, 'cpu{core="1", host="a"}'],
    [{ __name__: 'disk.used%' }, '{"disk.used%"}'],
    [{ 'a.b': 'x"y' }, '{"a.b"="x\\"y"}'],
    [{ __name__: '<img src=x>' }, '{"<img src=x>"}'],
    [{}, '{}'],
  ])('%j', (labels, name) => expect(seriesName(labels as Record<string, string>)).toBe(name));
});

describe('values', () => {
  const one = series({ __name__: 'a' }, [
    [1000, 4],
    [2000, NaN],
    [5000, -2],
  ]);
  it('are found by time', () => {
    expect([0, 1400, 1600, 9000].map((time) => indexAt(one.times, time, 2000))).toEqual([0, 0, 1, -1]);
    expect(indexAt(new Float64Array(), 0, 1000)).toBe(-1);
  });
  it('are summed up without what is no number', () => {
    expect(summarize(one)).toEqual({ count: 3, first: 4, least: -2, mean: 1, most: 4, last: -2, lastTime: 5000 });
  });
});

describe('CSV', () => {
  it('quotes, and keeps values exactly', () => {
    const values: [number, number][] = [
      [0, 0.1 + 0.2],
      [1500, -0],
      [2000, Infinity],
      [3000, NaN],
    ];
    expect(toCSV([series({ __name__: 'a', b: 'c,"d' }, values)])).toBe(
      [
        'series,time,value',
        '"a{b=""c,\\""d""}",1970-01-01T00:00:00.000Z,0.30000000000000004',
        '"a{b=""c,\\""d""}",1970-01-01T00:00:01.500Z,-0',
        '"a{b=""c,\\""d""}",1970-01-01T00:00:02.000Z,+Inf',
        '"a{b=""c,\\""d""}",1970-01-01T00:00:03.000Z,NaN',
        '',
      ].join('\r\n'),
    );
  });
});

describe('units', () => {
  it.each([
    ['node_memory_free_bytes', 'bytes'],
    ['host.mem.bytes{host="a"}', 'bytes'],
    ['{"disk.used%"}', 'percent'],
    ['ec2.DiskWriteBytes.x', 'bytes'],
    ['rate(net_bytes_total[5m])', 'bytes/s'],
    ['rate(requests_total[5m])', 'per second'],
    ['rate(cpu_seconds_total[5m])', 'ratio'],
    ['sum by (bytes) (go_goroutines)', 'none'],
    ['a_bytes / b_bytes', 'none'],
    ['count(a_bytes)', 'none'],
    ['a_bytes + b_seconds', 'none'],
    ['latency_ms', 'ms'],
    ['host.cpu.user', 'percent'],
    ['cpu_iowait{host="a"}', 'percent'],
    ['cpu_usage_idle{cpu="cpu0"}', 'percent'],
    ['sum(host.cpu.nice)', 'percent'],
    ['node_cpu_guest_seconds_total', 'seconds'],
    ['cpu.users', 'none'],
  ])('of %s', (query, unit) => expect(guessUnit(query)).toBe(unit));

  it('asks the series where the query has no name', () => {
    expect(guessUnit('{__name__=~"host.mem.*"}', ['host.mem.used_bytes', 'host.mem.free_bytes'])).toBe('bytes');
    expect(guessUnit('{__name__=~"host.mem.*"}', ['host.mem.used_bytes', 'host.mem.used_percent'])).toBe('none');
    expect(guessUnit('disk_seconds', ['a_bytes'])).toBe('seconds');
  });
  it.each([
    [1536, 'bytes', '1.5 KiB'],
    [0, 'bytes', '0 B'],
    [1_500_000, 'bits/s', '1.5 Mbit/s'],
    [0.0123, 'seconds', '12.3 ms'],
    [5400, 'seconds', '1.5 h'],
    [0.5, 'ratio', '50 %'],
    [1_234_567, 'none', '1,234,567'],
    [0.000000123, 'none', '1.23E-7'],
    [NaN, 'bytes', 'NaN'],
  ] as const)('print %d %s', (value, unit, text) => expect(format(value, unit, 4, 'en-US')).toBe(text));
  it('print in the signs of the locale', () => expect(format(1234.5, 'none', 6, 'de-DE')).toBe('1.234,5'));
});

describe('plain selectors', () => {
  const selector = { type: 'vectorSelector', offset: 60_000, offsetExpr: null, timestamp: null, startOrEnd: null, anchored: false, smoothed: false, matchers: [{ name: '__name__', type: '=', value: 'palm.cpu' }] };
  it('are read from the tree', () => {
    expect(plainSelector({ type: 'parenExpr', expr: selector })).toEqual({ text: '{__name__="palm.cpu"}', offset: 60_000 });
  });
  it('are nothing else', () => {
    expect(plainSelector({ ...selector, timestamp: 5 })).toBeUndefined();
    expect(plainSelector({ ...selector, anchored: true })).toBeUndefined();
    expect(plainSelector({ type: 'call' })).toBeUndefined();
    expect(plainSelector(null)).toBeUndefined();
  });
});

describe('times on an axis', () => {
  it('have the day where it begins', () => {
    const times = [23, 24, 25].map((hour) => Date.UTC(2006, 5, 13, hour));
    expect(tickLabels(times, 3_600_000, true, 'de-DE')).toEqual(['23:00\n13. Juni 2006', '00:00\n14. Juni 2006', '01:00']);
  });
  it('are days and months where they are far apart', () => {
    const times = [Date.UTC(2006, 5, 1), Date.UTC(2006, 6, 1)];
    expect(tickLabels(times, 30 * 86_400_000, true, 'en-GB')).toEqual(['Jun 2006', 'Jul 2006']);
  });
});
