import { expect, it } from 'vitest';
import { isUTC, paramsOf, viewOf, withUTC } from './route';

it('names a view', () => {
  expect(['', '#', '#no', '#browse?a=1', '#explore', '#boards?board=a%3Fb', '#status?'].map(viewOf)).toEqual(['browse', 'browse', 'browse', 'browse', 'explore', 'boards', 'status']);
  expect(paramsOf('#boards?board=a%3Fb%26&x=?').get('board')).toBe('a?b&');
});

it('switches to UTC and back, and keeps the rest', () => {
  const utc = withUTC('#explore?q0=a+%2B+b&range=1h', true);
  expect(utc).toBe('#explore?q0=a+%2B+b&range=1h&utc=1');
  expect([isUTC(utc), isUTC('#explore?utc=0'), withUTC(utc, false), withUTC('', false)]).toEqual([true, false, '#explore?q0=a+%2B+b&range=1h', '#browse']);
});
