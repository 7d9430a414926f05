// The field of a query: the editor, or a plain field until that is loaded.

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Editor } from './editor';
import type { Located } from './errors';

interface Props {
  text: string; // as it was last run; the editor is set to it when it changes
  draft: string; // as it was typed
  label: string;
  error: Located | undefined;
  changed: (text: string) => void;
  run: () => void;
}

const hint = 'A metric such as host.cpu.user, or an expression: rate(requests_total[5m])';

export function QueryBox(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const [ready, setReady] = useState(false);
  // What was typed comes back as text when it is run, later than the next key perhaps: that is no reason to set it.
  const submitted = useRef<string>(undefined);
  const submit = (): void => {
    submitted.current = latest.current.draft;
    latest.current.run();
  };

  useEffect(() => {
    let gone = false;
    const load = async (): Promise<void> => {
      const { open } = await import('./editor');
      if (gone || !place.current) {
        return;
      }
      const { draft, label } = latest.current;
      const field = place.current.parentElement?.querySelector('textarea');
      const focused = field !== null && document.activeElement === field;
      editor.current = open(place.current, {
        text: draft,
        label,
        placeholder: hint,
        changed: (now) => latest.current.changed(now),
        run: submit,
      });
      editor.current.setError(latest.current.error);
      setReady(true);
      if (focused) {
        editor.current.focus();
      }
    };
    // Without it the plain field stays, which does all but help.
    load().catch(() => undefined);
    return () => {
      gone = true;
      editor.current?.destroy();
    };
  }, []);
  useEffect(() => {
    if (props.text !== submitted.current) {
      editor.current?.setText(props.text);
    }
    submitted.current = undefined;
  }, [props.text]);
  useEffect(() => editor.current?.setError(props.error), [props.error]);

  return (
    <div class="querybox" data-ready={ready}>
      <div ref={place} />
      {!ready && (
        <textarea
          rows={1}
          aria-label={props.label}
          placeholder={hint}
          spellcheck={false}
          value={props.draft}
          onInput={(event) => props.changed(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && !event.shiftKey) {
              event.preventDefault();
              submit();
            }
          }}
        />
      )}
    </div>
  );
}
