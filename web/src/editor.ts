// The editor of queries. It is loaded behind the page: until then, a plain field stands in its place.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, completionStatus } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { HighlightStyle, bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, drawSelection, hoverTooltip, keymap, placeholder, type Tooltip } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { promQLLanguage, LanguageType } from '@prometheus-io/codemirror-promql/dist/esm/promql';
import { Completer, describe, metadataOf } from './complete';
import type { Located } from './errors';
import { tokens } from './tokens';

/** Editor is an open editor. */
export interface Editor {
  setText(text: string): void;
  setError(error: Located | undefined): void;
  focus(): void;
  destroy(): void;
}

export interface EditorOptions {
  text: string;
  label: string;
  placeholder: string;
  changed: (text: string) => void;
  run: () => void; // Enter
}

/** open puts an editor into an element. */
export function open(parent: HTMLElement, options: EditorOptions): Editor {
  const completer = new Completer();
  const language = promQLLanguage(LanguageType.PromQL);
  const view = new EditorView({
    parent,
    doc: options.text,
    extensions: [
      language,
      language.data.of({ autocomplete: (context: Parameters<Completer['complete']>[0]) => completer.complete(context) }),
      syntaxHighlighting(highlighting),
      autocompletion({ icons: false, maxRenderedOptions: 100 }),
      history(),
      closeBrackets(),
      bracketMatching(),
      drawSelection(),
      hoverTooltip(metricTooltip),
      placeholder(options.placeholder),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': options.label, autocapitalize: 'off', spellcheck: 'false' }),
      Prec.high(keymap.of([{ key: 'Enter', run: (editor) => enter(editor, options.run) }, { key: 'Escape', run: leave }])),
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) {
          options.changed(update.state.doc.toString());
        }
      }),
    ],
  });
  return {
    setText: (text) => replace(view, text),
    setError: (error) => view.dispatch(setDiagnostics(view.state, error ? [diagnostic(view.state, error)] : [])),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

/** enter runs the query, unless it chooses a completion. Shift and Enter make a new line. */
function enter(view: EditorView, run: () => void): boolean {
  if (completionStatus(view.state) === 'active') {
    return false;
  }
  run();
  return true;
}

/** leave gives the keyboard back to the page, unless it closes a list of completions. */
function leave(view: EditorView): boolean {
  if (completionStatus(view.state) !== null) {
    return false;
  }
  view.contentDOM.blur();
  return true;
}

function replace(view: EditorView, text: string): void {
  if (view.state.doc.toString() !== text) {
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  }
}

/** diagnostic marks an error; what is at the end marks the last character. */
function diagnostic(state: EditorState, error: Located): Diagnostic {
  const to = Math.min(Math.max(error.to, error.from + 1), state.doc.length);
  return { from: Math.max(0, Math.min(error.from, to - 1)), to, severity: 'error', message: error.text };
}

/** metricTooltip says what is known of the metric under the pointer. */
async function metricTooltip(view: EditorView, position: number): Promise<Tooltip | null> {
  const token = tokens(view.state.doc.toString()).find(({ from, to }) => from <= position && position <= to);
  if (!token || (token.kind !== 'name' && token.kind !== 'string')) {
    return null;
  }
  const name = token.kind === 'string' ? token.text.slice(1, -1) : token.text;
  const dom = describe(name, await metadataOf(name));
  return dom && { pos: token.from, end: token.to, above: true, create: () => ({ dom }) };
}

const highlighting = HighlightStyle.define([
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--code-string)' },
  { tag: [tags.number, tags.literal], color: 'var(--code-number)' },
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: 'var(--code-keyword)' },
  { tag: [tags.function(tags.variableName)], color: 'var(--code-function)' },
  { tag: tags.labelName, color: 'var(--code-label)' },
  { tag: tags.comment, color: 'var(--dim)', fontStyle: 'italic' },
]);
