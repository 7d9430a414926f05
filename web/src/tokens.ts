// The words of PromQL, as metricd's server reads it: names may hold dots and letters of any script. It is no parser: it finds selectors,
// to filter them by a label, and says where in a text the cursor is. It never fails; what it can't read is a word of its own.

export type Kind = 'name' | 'string' | 'number' | 'comment' | 'sign';

export interface Token {
  kind: Kind;
  text: string;
  from: number; // in UTF-16 units, as all positions in texts
  to: number; // exclusive
}

/** nameStart and nameRest are what a name is made of outside of quotes. */
const nameStart = '[A-Za-z_:]|(?![\\x00-\\x7f])\\p{L}';
const word = new RegExp(
  [
    '(?<comment>#[^\\n]*)',
    '(?<string>"(?:\\\\.|[^"\\\\\\n])*"?|\'(?:\\\\.|[^\'\\\\\\n])*\'?|`[^`]*`?)',
    '(?<number>0[xX][0-9a-fA-F]+|(?:\\d[\\d_]*\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?(?:ms|[smhdwy](?:\\d+(?:ms|[smhdwy]))*)?)',
    `(?<name>(?:${nameStart})(?:${nameStart}|[0-9.])*)`,
    '(?<sign>[=!]~|[=!<>]=|\\S)',
  ].join('|'),
  'gu',
);

const bareName = new RegExp(`^(?:${nameStart})(?:${nameStart}|[0-9.])*$`, 'u');

/** tokens returns the words of a text, comments included, without white space. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (const match of text.matchAll(word)) {
    const kind = (Object.keys(match.groups ?? {}) as Kind[]).find((name) => match.groups?.[name] !== undefined) ?? 'sign';
    found.push({ kind, text: match[0], from: match.index, to: match.index + match[0].length });
  }
  return found;
}

/** Words that may stand where a name of a metric may, and are none. */
const keywords = new Set(
  ('and or unless atan2 bool by without on ignoring group_left group_right offset anchored smoothed fill fill_left fill_right start end step ' +
    'inf nan').split(' '),
);

/** Words with a list of labels behind. */
const lists = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);

/** Selector is a selector in a text: where its name is, if it has one outside of the braces, and where its braces are, if it has some. */
export interface Selector {
  name: string; // '' without
  from: number;
  to: number; // where a brace would open
  open?: number; // where { is
  close?: number; // where } is; not there if it is missing
}

/** selectors returns all selectors of a text, in order. */
export function selectors(text: string): Selector[] {
  const words = tokens(text).filter((token) => token.kind !== 'comment');
  const found: Selector[] = [];
  let depth = 0; // in [ ]: there are durations, no selectors
  for (let i = 0; i < words.length; i++) {
    const token = words[i] as Token;
    const next = words[i + 1];
    if (token.text === '[' || token.text === ']') {
      depth += token.text === '[' ? 1 : -1;
    } else if (depth > 0) {
      continue;
    } else if (token.kind === 'name' && lists.has(token.text.toLowerCase()) && next?.text === '(') {
      i = closing(words, i + 1, ')');
    } else if (token.kind === 'name' && next?.text !== '(' && !keywords.has(token.text.toLowerCase()) && !isAggregation(words, i)) {
      const selector: Selector = { name: token.text, from: token.from, to: token.to };
      found.push(selector);
      if (next?.text === '{') {
        i = braces(words, i + 1, selector);
      }
    } else if (token.text === '{') {
      const selector: Selector = { name: '', from: token.from, to: token.from };
      found.push(selector);
      i = braces(words, i, selector);
    }
  }
  return found;
}

/** isAggregation says whether a name has its labels before what it aggregates: sum by (a) (x). */
function isAggregation(words: readonly Token[], i: number): boolean {
  const next = words[i + 1]?.text.toLowerCase();
  return (next === 'by' || next === 'without') && words[i + 2]?.text === '(';
}

function braces(words: readonly Token[], open: number, selector: Selector): number {
  selector.open = words[open]?.from ?? 0;
  const close = closing(words, open, '}');
  if (words[close]?.text === '}') {
    selector.close = words[close]?.from ?? 0;
  }
  return close;
}

/** closing returns where a list ends, the last word if it does not. */
function closing(words: readonly Token[], open: number, sign: string): number {
  for (let i = open + 1; i < words.length; i++) {
    if (words[i]?.text === sign) {
      return i;
    }
  }
  return words.length - 1;
}

/** isBareName says whether the name of a metric needs no quotes. */
export function isBareName(name: string): boolean {
  return bareName.test(name) && !keywords.has(name.toLowerCase());
}

/** quote writes a text as a string of PromQL. */
export function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;
}

/** spellName writes the name of a metric as a selector. */
export function spellName(name: string): string {
  return isBareName(name) ? name : `{${quote(name)}}`;
}

/** spellLabel writes the name of a label where a matcher or a list has it: other than those of metrics they have no dots and no colons. */
export function spellLabel(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : quote(name);
}

/** filterBy adds label="value" to all selectors of a query that do not say just that. */
export function filterBy(query: string, label: string, value: string): string {
  const matcher = `${spellLabel(label)}=${quote(value)}`;
  let text = query;
  for (const selector of selectors(query).reverse()) {
    if (label === '__name__') {
      continue;
    }
    const { open, close } = selector;
    if (open === undefined) {
      text = `${text.slice(0, selector.to)}{${matcher}}${text.slice(selector.to)}`;
      continue;
    }
    const inside = close === undefined ? '' : query.slice(open + 1, close).trim();
    if (close === undefined || inside.split(/\s*,\s*/).includes(matcher)) {
      continue;
    }
    const comma = inside === '' || inside.endsWith(',') ? '' : ',';
    text = text.slice(0, close) + comma + matcher + text.slice(close);
  }
  return text;
}

/** renamed is a query with another name of a metric wherever it had one outside of quotes. */
export function renamed(query: string, from: string, to: string): string {
  let text = query;
  for (const { name, from: start, to: end, open } of selectors(query).reverse()) {
    if (name !== from) {
      continue;
    }
    const behind = isBareName(to) || open === undefined ? text.slice(end) : text.slice(open + 1);
    text = text.slice(0, start) + (isBareName(to) || open === undefined ? spellName(to) : `{${quote(to)},`) + behind;
  }
  return text;
}

/** Place is where in a query the cursor is: what can be completed there. */
export type Place = 'expression' | 'braces' | 'brackets' | 'string' | 'comment';

/** placeAt says what is at a position. */
export function placeAt(text: string, position: number): Place {
  let place: Place = 'expression';
  for (const token of tokens(text.slice(0, position))) {
    if (token.to === position && token.kind === 'comment') {
      return 'comment';
    }
    if (token.to === position && token.kind === 'string' && !isClosed(token.text)) {
      return 'string';
    }
    if (token.kind === 'sign') {
      place = { '{': 'braces', '[': 'brackets', '}': 'expression', ']': 'expression' }[token.text] as Place | undefined ?? place;
    }
  }
  return place;
}

function isClosed(text: string): boolean {
  return text.length > 1 && text.endsWith(text.charAt(0)) && !/(?:^|[^\\])(?:\\\\)*\\.$/.test(text);
}
