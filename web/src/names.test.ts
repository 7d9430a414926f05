import { expect, it } from 'vitest';
import { boardHash, fileName, freeName, nameOfFile, nameProblem } from './names';
import { paramsOf } from './route';

it('writes any name into an address', () => {
  for (const name of ['a/b?c=d&e#f%2F', '<img src=x onerror=alert(1)>', 'Ünïcode ✓', ' ', '+']) {
    expect(paramsOf(boardHash(name, true)).get('board')).toBe(name);
  }
});

it('finds a name that is free', () => {
  expect(freeName('CPU', [])).toBe('CPU');
  expect(freeName('CPU', ['CPU', 'CPU 2'])).toBe('CPU 3');
  const long = 'ü'.repeat(40);
  expect(freeName(long, [])).toBe(long);
  expect(freeName(long, [long])).toBe('ü'.repeat(39) + ' 2');
});

it('knows the names that the server takes', () => {
  expect(nameProblem('a/b')).toBe('');
  expect(nameProblem('ü'.repeat(40))).toBe('');
  expect(nameProblem('ü'.repeat(40) + 'a')).toMatch(/81 bytes, and 80/);
  for (const bad of ['', ' ', '.', '..', 'a\nb', 'a\u0080b', '\ud800']) {
    expect(nameProblem(bad)).not.toBe('');
  }
});

it('exports to a file and finds the name in it again', () => {
  expect(fileName('a/b:c')).toBe('a_b_c.board.json');
  expect(nameOfFile('Disks.board.json')).toBe('Disks');
  expect(nameOfFile('Disks.board (2).json')).toBe('Disks');
  expect(nameOfFile('other.json')).toBe('other');
  expect(nameOfFile('.json')).toBe('Board');
  expect(nameProblem(nameOfFile('x'.repeat(200)))).toBe('');
});
