// The weight of the page: a build that is too heavy fails.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** What the page may weigh, in bytes of gzip: all of it, and what is loaded before the editor. */
const mostInAll = 240 * 1024;
const mostAtFirst = 70 * 1024;

/** weight is the plugin that weighs what was built. */
export function weight(): Plugin {
  let directory = '';
  const first = new Set<string>(); // the scripts that index.html loads: the entry, and what that imports at once
  return {
    name: 'weight',
    apply: 'build',
    generateBundle(_, bundle) {
      const follow = (name: string): void => {
        const chunk = bundle[name];
        if (chunk?.type === 'chunk' && !first.has(name)) {
          first.add(name);
          chunk.imports.forEach(follow);
        }
      };
      Object.values(bundle).forEach((chunk) => chunk.type === 'chunk' && chunk.isEntry && follow(chunk.fileName));
    },
    writeBundle(options) {
      directory = options.dir ?? '';
    },
    closeBundle() {
      let all = 0;
      let early = 0;
      for (const name of readdirSync(directory, { recursive: true }).map(String)) {
        const path = join(directory, name);
        if (statSync(path).isFile()) {
          const size = gzipSync(readFileSync(path)).length;
          all += size;
          early += first.has(name) || !name.endsWith('.js') ? size : 0;
        }
      }
      console.log(`the page weighs ${all} bytes of gzip, ${early} before the editor`);
      if (all > mostInAll || early > mostAtFirst) {
        throw new Error(`the page is too heavy: ${mostInAll} bytes of gzip are allowed, ${mostAtFirst} before the editor`);
      }
    },
  };
}
