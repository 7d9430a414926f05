// Where in a query an error is that the server found. It says line:column, both from 1, columns in bytes of UTF-8.

/** Located is an error with its place in a query, in UTF-16 units; at its end where to equals the length. */
export interface Located {
  text: string; // without the place
  from: number;
  to: number; // exclusive; more than from, but at the end of the query
}

/** locate reads a message of the server; undefined if it names no place. */
export function locate(message: string, query: string): Located | undefined {
  const match = /^(?:invalid parameter "query": )?(\d+):(\d+): (?:parse error: )?([^]*)$/.exec(message);
  if (!match) {
    return undefined;
  }
  const lines = query.split('\n');
  const line = Math.min(Number(match[1]), lines.length) - 1;
  const before = lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, 0);
  const from = Math.min(before + unitsOf(lines[line] ?? '', Number(match[2]) - 1), query.length);
  const word = /^(?:[\p{L}\p{N}_:.]+|.)/u.exec(query.slice(from));
  return { text: match[3] ?? '', from, to: from + (word?.[0].length ?? 0) };
}

/** brief is a message of the server without what only programs need. */
export function brief(message: string): string {
  return message.replace(/^invalid parameter "query": /, '').replace(/^(\d+:\d+: )?parse error: /, '$1');
}

/** unitsOf says how many UTF-16 units so many bytes of a text are. */
function unitsOf(text: string, bytes: number): number {
  let units = 0;
  let seen = 0;
  for (const character of text) {
    if (seen >= bytes) {
      break;
    }
    seen += new TextEncoder().encode(character).length;
    units += character.length;
  }
  return units;
}

/** wordsOf is what anything that was thrown says. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
