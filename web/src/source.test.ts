import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

// What the server sends is text and never markup: names of series are anybody's.
const forbidden = /\b(?:inner|outer)HTML\b|dangerouslySet|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\(|new Function|: any\b|\bas any\b|<any>/;

it('has nothing that makes markup or code of texts, and no any', () => {
  const directory = import.meta.dirname;
  for (const name of readdirSync(directory).filter((name) => /\.tsx?$/.test(name) && name !== 'source.test.ts')) {
    readFileSync(join(directory, name), 'utf8')
      .split('\n')
      .forEach((line, i) => expect(forbidden.test(line), `${name}:${i + 1}: ${line}`).toBe(false));
  }
});
