import { describe, expect, it } from 'vitest';
import { autoStep, fixed, formatDuration, formatMoment, formatRange, lookback, parseDuration, parseRange, resolve, shift, shortest, zoom } from './range';

const now = Date.UTC(2026, 10, 23, 12, 0, 0);
const hour = 3_600_000;
const day = 24 * hour;

describe('durations', () => {
  it.each([
    ['2h', 2 * hour],
    ['1h30m', 1.5 * hour],
    ['1.5d', 36 * hour],
    ['90 s', 90_000],
    ['250ms', 250],
    ['1y', 365 * day],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    expect(parseDuration(formatDuration(ms))).toBe(ms);
  });
  it.each(['', 'h', '2', '2x', '-2h', '0s', '2h and more'])('%j is none', (text) => expect(parseDuration(text)).toBeUndefined());
  it('are printed without weeks that are not whole', () => {
    expect(formatDuration(10 * day)).toBe('10d');
    expect(formatDuration(14 * day)).toBe('2w');
    expect(formatDuration(5_400_000)).toBe('1h30m');
  });
});

describe('ranges', () => {
  const at = (text: string): number => Date.parse(text);
  it.each([
    ['2h', { last: 2 * hour }],
    ['last 2h', { last: 2 * hour }],
    ['2006', { from: at('2006-01-01T00:00Z'), to: at('2007-01-01T00:00Z') }],
    ['2006-06', { from: at('2006-06-01T00:00Z'), to: at('2006-07-01T00:00Z') }],
    ['2006-06-13', { from: at('2006-06-13T00:00Z'), to: at('2006-06-14T00:00Z') }],
    ['2006-12-31 23', { from: at('2006-12-31T23:00Z'), to: at('2007-01-01T00:00Z') }],
    ['2006-06-13T10:30', { from: at('2006-06-13T10:30Z'), to: at('2006-06-13T10:31Z') }],
    ['2006-06-13 10:00 to 2006-06-13 11:00:05.25', { from: at('2006-06-13T10:00Z'), to: at('2006-06-13T11:00:05.250Z') }],
    ['2006-06-13 .. 2006-06-14', { from: at('2006-06-13T00:00Z'), to: at('2006-06-15T00:00Z') }],
    ['today', { from: at('2026-11-23T00:00Z'), to: at('2026-11-24T00:00Z') }],
    ['yesterday', { from: at('2026-11-22T00:00Z'), to: at('2026-11-23T00:00Z') }],
    ['1150864247', { from: 1150864247000 - hour / 2, to: 1150864247000 + hour / 2 }],
    ['1150864247 to 1150864300', { from: 1150864247000, to: 1150864300000 }],
    ['now-2h to now', { last: 2 * hour }],
    ['now-2h to now-1h', { from: now - 2 * hour, to: now - hour }],
    ['2026-11-23 11:00 to now', { from: now - hour, to: now }],
  ])('%s', (text, range) => expect(parseRange(text, now, true)).toEqual(range));
  it.each(['', 'x', '2006-13', '2006-02-30', '2006-06-13 25:00', 'now to now-1h', '2007 to 2006', '1 to 2 to 3'])('%j is none', (text) =>
    expect(parseRange(text, now, true)).toBeUndefined(),
  );
  it('are read as they are printed, local and UTC', () => {
    for (const utc of [true, false]) {
      for (const range of [{ last: 90_000 }, fixed(now - 86_399_999, now), fixed(at('1815-06-18T11:00Z'), at('1815-06-18T11:00:01.5Z'))]) {
        expect(parseRange(formatRange(range, utc), now, utc)).toEqual(range);
      }
    }
  });
  it('print a moment', () => expect(formatMoment(at('2006-06-13T04:30:47Z'), true)).toBe('2006-06-13 04:30:47'));
});

describe('moving', () => {
  it('zooms around the middle', () => expect(zoom({ from: 1000, to: 2000 }, 0.5, now)).toEqual({ from: 1250, to: 1750 }));
  it('keeps what ends now', () => expect(zoom({ last: 1000 }, 2, now)).toEqual({ last: 2000 }));
  it('goes back and comes to now again', () => {
    const back = shift({ last: hour }, -0.5, now);
    expect(back).toEqual({ from: now - 1.5 * hour, to: now - hour / 2 });
    expect(shift(back, 0.5, now)).toEqual({ last: hour });
  });
  it('never becomes empty', () => {
    const { from, to } = resolve(fixed(5, 5), now);
    expect(to - from).toBe(shortest);
    expect(resolve(zoom({ last: shortest }, 0.5, now), now).to).toBe(now);
  });
  it('stays where PromQL can be evaluated', () => expect(zoom({ from: -9e15, to: 9e15 }, 4, now)).toEqual({ from: -9.2e12, to: 9.2e12 }));
});

describe('steps', () => {
  it.each([
    [hour, 5000],
    [day, 120_000],
    [5 * 60_000, 1000],
    [365 * day, 12 * hour],
    [18_400_000_000_000, 365 * day],
  ])('over %d ms', (length, step) => expect(autoStep(length)).toBe(step));
  it('look back 5 minutes at least', () => {
    expect(lookback(1000)).toBe(300_000);
    expect(lookback(hour)).toBe(hour);
  });
});
