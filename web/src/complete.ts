// Completion of queries: functions and the grammar are codemirror-promql's, names and values come from the server by prefix, when they are asked for.
// Nothing is kept: what was put a second ago is found.

import { type Completion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { HybridComplete } from '@prometheus-io/codemirror-promql/dist/esm/complete/hybrid';
import type { PrometheusClient } from '@prometheus-io/codemirror-promql/dist/esm/client';
import { isRecord, look, texts, type Param } from './api';
import { placeAt, quote, spellLabel, spellName } from './tokens';

/** The names or values that are offered at most. */
const mostOffered = 100;

/** Matcher is what codemirror-promql tells of those in the braces. */
interface Matcher {
  name: string;
  value: string;
  matchesEmpty(): boolean;
  type: unknown;
}

/** Client answers what codemirror-promql asks, but for names of metrics, which Completer finds: names with dots are none to its grammar. */
class Client implements PrometheusClient {
  /** What is in the quotes where a value is completed. */
  typed = '';

  async labelNames(metric?: string): Promise<string[]> {
    return values('labels', [...matching(metric, []), limit]);
  }

  async labelValues(label: string, metric?: string, matchers: Matcher[] = []): Promise<string[]> {
    const others = matchers.filter((matcher) => matcher.name !== label && matcher.value !== '' && !matcher.matchesEmpty());
    return values(`label/${encodeURIComponent(label)}/values`, [...matching(metric, [...others.map(spellEqual), startsWith(label, this.typed)]), limit]);
  }

  async metricNames(): Promise<string[]> {
    return Promise.resolve([]);
  }

  async metricMetadata(): Promise<Record<string, never>> {
    return Promise.resolve({});
  }

  async series(): Promise<Map<string, string>[]> {
    return Promise.resolve([]);
  }

  async flags(): Promise<Record<string, string>> {
    return Promise.resolve({});
  }
}

const limit: Param = ['limit', String(mostOffered)];

/** values asks for names or values; an error offers none: the query itself will tell. */
async function values(path: string, params: readonly Param[]): Promise<string[]> {
  try {
    return texts((await look(path, params)).data);
  } catch {
    return [];
  }
}

function spellEqual(matcher: Matcher): string {
  return `${spellLabel(matcher.name)}=${quote(matcher.value)}`;
}

function startsWith(label: string, prefix: string): string {
  return `${spellLabel(label)}=~${quote(`${prefix.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}.*`)}`;
}

function matching(metric: string | undefined, matchers: readonly string[]): Param[] {
  const all = [...(metric ? [`__name__=${quote(metric)}`] : []), ...matchers];
  return all.length > 0 ? [['match[]', `{${all.join(',')}}`]] : [];
}

/** metricNames returns names that begin with prefix, in order, and whether there are more. */
async function metricNames(prefix: string): Promise<{ names: string[]; more: boolean }> {
  const names = await values('label/__name__/values', [...(prefix === '' ? [] : matching(undefined, [startsWith('__name__', prefix)])), limit]);
  return { names, more: names.length >= mostOffered };
}

/** Metadata is what senders told of a metric. */
export interface Metadata {
  type: string;
  help: string;
  unit: string;
}

/** metadataOf asks what is known of a metric; of a histogram's parts, what is known of the whole. */
export async function metadataOf(metric: string): Promise<Metadata | undefined> {
  for (const name of new Set([metric, metric.replace(/_(?:count|sum|bucket|total)$/, '')])) {
    try {
      const { data } = await look('metadata', [['metric', name]]);
      const entries = isRecord(data) ? data[name] : undefined;
      const entry: unknown = Array.isArray(entries) ? entries[0] : undefined;
      if (isRecord(entry)) {
        return { type: String(entry['type']), help: String(entry['help']), unit: String(entry['unit']) };
      }
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/** Completer is the source of completions of an editor. */
export class Completer {
  private readonly client = new Client();
  private readonly grammar = new HybridComplete(this.client);

  async complete(context: CompletionContext): Promise<CompletionResult | null> {
    const text = context.state.doc.toString();
    const place = placeAt(text, context.pos);
    switch (place) {
      case 'comment':
        return null;
      case 'expression':
        return this.expression(context, text.slice(0, context.pos));
      default: {
        const quoted = /["'`]([^"'`]*)$/.exec(text.slice(0, context.pos));
        this.client.typed = place === 'string' || quoted ? (quoted?.[1] ?? '') : '';
        const named = /\{\s*["']([^"'{}=]*)$/.exec(text.slice(0, context.pos));
        const metric = /([^\s{}()[\],"'`+*/%^=!<>-]+)\{[^{}]*$/.exec(text.slice(0, context.pos))?.[1];
        if (named) {
          return this.quotedNames(context, named[1] ?? '');
        }
        return fresh(await (metric?.includes('.') ? this.dotted(context, metric) : this.grammar.promQL(context)));
      }
    }
  }

  /** expression completes names of metrics, and what the grammar has beside them. */
  private async expression(context: CompletionContext, before: string): Promise<CompletionResult | null> {
    const typed = /[^\s{}()[\],"'`+*/%^=!<>-]*$/u.exec(before)?.[0] ?? '';
    if (/^[\d.]/.test(typed) || (typed === '' && !context.explicit && !/\($/.test(before))) {
      return null;
    }
    const dotted = typed !== '' && !/^[a-zA-Z0-9_:]+$/.test(typed);
    const [found, grammar] = await Promise.all([metricNames(typed), dotted ? null : this.grammar.promQL(context)]);
    const from = context.pos - typed.length;
    const names = isOperand(before.slice(0, from)) ? found.names.map(nameOption) : [];
    // The grammar's own words count where it sees the same word.
    const others = grammar && grammar.from === from ? grammar.options : [];
    const options = [...names, ...others];
    return options.length === 0 ? null : { from, options, ...(found.more || dotted ? {} : { validFor: /^[a-zA-Z_]*$/ }), ...(found.more && { validFor: never }) };
  }

  /** quotedNames completes a name in braces and quotes: {"disk.u. */
  private async quotedNames(context: CompletionContext, typed: string): Promise<CompletionResult> {
    const { names } = await metricNames(typed);
    return { from: context.pos - typed.length, options: names.map((name) => ({ label: name, apply: quote(name).slice(1, -1), type: 'constant' })), validFor: never };
  }

  /** dotted completes labels and values behind a name with dots, which the grammar does not read. */
  private async dotted(context: CompletionContext, metric: string): Promise<CompletionResult | null> {
    const inside = context.state.sliceDoc(0, context.pos).replace(/^[^]*\{/, '');
    const value = /([A-Za-z_][A-Za-z0-9_]*)\s*(?:=~|!~|!=|=)\s*"([^"]*)$/.exec(inside);
    if (value) {
      this.client.typed = value[2] ?? '';
      const found = await this.client.labelValues(value[1] ?? '', metric);
      return { from: context.pos - this.client.typed.length, options: found.map((label) => ({ label, type: 'text', apply: quote(label).slice(1, -1) })) };
    }
    const name = /(?:^|,)\s*([A-Za-z0-9_]*)$/.exec(inside);
    if (!name) {
      return null;
    }
    const found = await this.client.labelNames(metric);
    return { from: context.pos - (name[1] ?? '').length, options: found.filter((label) => label !== '__name__').map((label) => ({ label, apply: spellLabel(label), type: 'constant' })) };
  }
}

/** never is a validFor that has the list made anew at each key. */
const never = (): boolean => false;

/** fresh is a result without what it says of other texts than this: lists are cut at a limit. */
function fresh(result: CompletionResult | null): CompletionResult | null {
  if (!result) {
    return null;
  }
  return { ...result, options: result.options.filter((option) => option.label !== '__name__'), validFor: never };
}

/** isOperand says whether a name may stand behind a text. */
function isOperand(before: string): boolean {
  return /(?:^|[(,+\-*/%^=<>!~]|\b(?:and|or|unless|bool|atan2)|\))\s*$/i.test(before);
}

function nameOption(name: string): Completion {
  const spelled = spellName(name);
  return {
    label: name,
    type: 'constant',
    boost: 1,
    apply: spelled,
    info: async () => describe(name, await metadataOf(name)),
  };
}

/** describe makes a small text about a metric; nothing if nothing is known. */
export function describe(name: string, known: Metadata | undefined): HTMLElement | null {
  if (!known) {
    return null;
  }
  const element = document.createElement('div');
  element.className = 'metadata';
  const title = document.createElement('b');
  title.textContent = name;
  element.append(title, ` ${known.type}${known.unit ? `, ${known.unit}` : ''}`, document.createElement('br'), known.help);
  return element;
}
