// The names of boards: in addresses, of files, and what the server takes.

import { hashOf, withUTC } from './route';

/** The bytes of UTF-8 that a name has at most, by the server's rule. */
const longest = 80;

/** boardHash is the address of a board. */
export function boardHash(name: string, utc: boolean): string {
  return withUTC(hashOf('boards', new URLSearchParams([['board', name]])), utc);
}

/** freeName is a name like this one that none of the others is: name, name 2, name 3… */
export function freeName(name: string, taken: readonly string[]): string {
  let free = cut(name, '');
  for (let n = 2; taken.includes(free); n++) {
    free = cut(name, ` ${n}`);
  }
  return free;
}

/** cut is a name with something after it, shortened where that is too long. */
function cut(name: string, tail: string): string {
  let characters = [...name];
  while (sizeOf(characters.join('') + tail) > longest) {
    characters = characters.slice(0, -1);
  }
  return characters.join('').trimEnd() + tail;
}

function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** nameProblem says why a board can't have a name; empty: it can. */
export function nameProblem(name: string): string {
  if (name.trim() === '') {
    return 'A board needs a name.';
  }
  if (sizeOf(name) > longest) {
    return `The name has ${sizeOf(name)} bytes, and ${longest} is the most.`;
  }
  return /[\p{Cc}\p{Cs}]/u.test(name) || name === '.' || name === '..' ? 'No board can have that name.' : '';
}

/** fileName is that of the file a board is exported to. */
export function fileName(name: string): string {
  return name.replace(/[/\\:*?"<>|]/g, '_') + '.board.json';
}

/** nameOfFile is what a board is called that comes from a file, unless it is called otherwise. */
export function nameOfFile(file: string): string {
  // Browsers number the files of one name that they save: Disks.board (2).json.
  const clean = file
    .replace(/\.json$/i, '')
    .replace(/\s*\(\d+\)$/, '')
    .replace(/\.board$/, '')
    .replace(/[\p{Cc}\p{Cs}]/gu, '');
  return nameProblem(clean) === 'A board needs a name.' || clean === '.' || clean === '..' ? 'Board' : cut(clean, '');
}
