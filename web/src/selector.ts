// What the server's tree of an expression says: which series it selects, and whether it is a plain selector, whose samples can be plotted as they are.

import { isRecord } from './api';
import { quote, spellLabel } from './tokens';

/** Plain is a selector of stored samples and nothing else. */
export interface Plain {
  text: string; // without offset
  offset: number; // ms
}

/** plainSelector reads a tree of /api/v1/parse_query; undefined if it is more than a selector, or one at a fixed time. */
export function plainSelector(tree: unknown): Plain | undefined {
  if (!isRecord(tree)) {
    return undefined;
  }
  if (tree['type'] === 'parenExpr') {
    return plainSelector(tree['expr']);
  }
  const { type, offset, offsetExpr, timestamp, startOrEnd, anchored, smoothed, matchers } = tree;
  if (type !== 'vectorSelector' || offsetExpr || timestamp !== null || startOrEnd || anchored || smoothed || !Array.isArray(matchers)) {
    return undefined;
  }
  return { text: spelled(matchers), offset: typeof offset === 'number' ? offset : 0 };
}

/** spelled writes matchers of a tree as a selector. */
function spelled(matchers: readonly unknown[]): string {
  const text = matchers.map((matcher) => (isRecord(matcher) ? spellLabel(String(matcher['name'])) + String(matcher['type']) + quote(String(matcher['value'])) : ''));
  return `{${text.join(',')}}`;
}

/** selectorOf is the selector of all series of a metric, as they are spelled here. */
export function selectorOf(name: string): string {
  return `{__name__=${quote(name)}}`;
}

/** Selected is a selector of a query. */
export interface Selected {
  text: string; // without range and offset
  name: string; // of the metric that it asks for; '' if it does not say one
}

/** selectorsOf returns all selectors in a tree of /api/v1/parse_query. */
export function selectorsOf(tree: unknown): Selected[] {
  if (Array.isArray(tree)) {
    return tree.flatMap(selectorsOf);
  }
  if (!isRecord(tree)) {
    return [];
  }
  const { type, matchers } = tree;
  if ((type === 'vectorSelector' || type === 'matrixSelector') && Array.isArray(matchers)) {
    const name = matchers.find((matcher) => isRecord(matcher) && matcher['name'] === '__name__' && matcher['type'] === '=');
    return [{ text: spelled(matchers), name: isRecord(name) ? String(name['value']) : '' }];
  }
  return Object.values(tree).flatMap(selectorsOf);
}
