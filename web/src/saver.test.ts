import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ServerError, Unreachable } from './api';
import { noBoard, noPlot, readBoard, writeBoard } from './board';
import { pin } from './pinning';
import { Saver, type Remote, type Stored } from './saver';

/** Server is a board as the server keeps it. trouble is thrown instead of an answer, once each, before or after the change was made. */
class Server implements Remote {
  stored: Stored | undefined;
  before: Error[] = [];
  after: Error[] = [];
  puts: string[] = [];
  private version = 0;

  constructor(text?: string) {
    if (text !== undefined) {
      this.write(text);
    }
  }

  write(text: string): string {
    const etag = `"${++this.version}"`;
    this.stored = { etag, text };
    return etag;
  }

  get = async (): Promise<Stored | undefined> => this.stored;

  put = async (text: string, etag: string | undefined): Promise<string> => {
    this.puts.push(text);
    fail(this.before);
    if (etag !== this.stored?.etag) {
      throw new ServerError('not the version expected', 412, 'conflict');
    }
    const made = this.write(text);
    fail(this.after);
    return made;
  };
}

function fail(errors: Error[]): void {
  const error = errors.shift();
  if (error) {
    throw error;
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const settle = () => vi.advanceTimersByTimeAsync(60_000);

function open(server: Server): Saver {
  return new Saver(server, server.stored);
}

it('saves the last of many changes, once', async () => {
  const server = new Server('a');
  const saver = open(server);
  saver.change('b');
  saver.change('c');
  expect(saver.saving.state).toBe('saving');
  await settle();
  expect(server.puts).toEqual(['c']);
  expect(saver.saving.state).toBe('saved');
  saver.change('d');
  await settle();
  expect(server.stored?.text).toBe('d');
});

it('sends what is changed while a request is on its way after it', async () => {
  const server = new Server('a');
  const saver = open(server);
  const put = server.put;
  let answer = (): void => undefined;
  saver['remote'].put = async (text, etag) => {
    await new Promise<void>((resolve) => (answer = resolve));
    return put(text, etag);
  };
  saver.change('b');
  await vi.advanceTimersByTimeAsync(1000);
  saver.change('c');
  await vi.advanceTimersByTimeAsync(5000);
  expect(server.puts).toEqual([]);
  answer();
  await vi.advanceTimersByTimeAsync(1000);
  answer();
  await settle();
  expect(server.puts).toEqual(['b', 'c']);
  expect(saver.saving.state).toBe('saved');
});

it.each([new Unreachable('away'), new ServerError('disk full', 503, 'unavailable'), new ServerError('oops', 500, 'internal')])('keeps a change and tries again after: %s', async (error) => {
  const server = new Server('a');
  const saver = open(server);
  server.before = [error, error];
  saver.change('b');
  await vi.advanceTimersByTimeAsync(1000);
  expect(saver.saving).toEqual({ state: 'waiting', why: error.message });
  expect(saver.unsaved).toBe(true);
  await settle();
  expect(server.stored?.text).toBe('b');
  expect(saver.saving.state).toBe('saved');
});

it('asks no more when the server does not take it, until it is told to or it changes', async () => {
  const server = new Server('a');
  const saver = open(server);
  server.before = [new ServerError('too large', 413, 'bad_data'), new ServerError('too many', 507, 'execution')];
  saver.change('b');
  await settle();
  expect(saver.saving).toEqual({ state: 'refused', why: 'too large' });
  expect(server.puts.length).toBe(1);
  saver.now();
  await settle();
  expect(saver.saving).toEqual({ state: 'refused', why: 'too many' });
  saver.change('c');
  await settle();
  expect(server.stored?.text).toBe('c');
});

it('knows its own change again when the answer was lost', async () => {
  const server = new Server('a');
  const saver = open(server);
  server.after = [new Unreachable('away')];
  saver.change('b');
  await vi.advanceTimersByTimeAsync(1000);
  expect(saver.saving.state).toBe('waiting');
  saver.change('c');
  await settle();
  expect(server.puts).toEqual(['b', 'c', 'c']);
  expect(server.stored?.text).toBe('c');
  expect(saver.saving.state).toBe('saved');
});

it('keeps both when someone else was faster', async () => {
  const server = new Server('a');
  const saver = open(server);
  server.write('theirs');
  saver.change('mine');
  await settle();
  expect(saver.saving).toEqual({ state: 'conflict', theirs: server.stored });
  saver.change('mine, too');
  saver.now();
  await settle();
  expect([server.stored?.text, saver.mine, server.puts.length]).toEqual(['theirs', 'mine, too', 1]);
  expect(saver.read({ etag: '"9"', text: 'newer' })).toBe(false);
  saver.overwrite();
  await settle();
  expect(server.stored?.text).toBe('mine, too');
  expect(saver.saving.state).toBe('saved');
});

it('sees a conflict again when a third was faster still', async () => {
  const server = new Server('a');
  const saver = open(server);
  server.write('theirs');
  saver.change('mine');
  await settle();
  server.write('third');
  saver.overwrite();
  await settle();
  expect(saver.saving).toEqual({ state: 'conflict', theirs: server.stored });
  expect(server.stored?.text).toBe('third');
});

it('takes theirs, and goes on from there', async () => {
  const server = new Server('a');
  const saver = open(server);
  server.write('theirs');
  saver.change('mine');
  await settle();
  saver.yield();
  expect([saver.mine, saver.saving.state]).toEqual(['theirs', 'saved']);
  saver.change('both');
  await settle();
  expect(server.stored?.text).toBe('both');
});

it('makes a board again that someone deleted, if that is wanted', async () => {
  const server = new Server('a');
  const saver = open(server);
  server.stored = undefined;
  saver.change('mine');
  await settle();
  expect(saver.saving).toEqual({ state: 'conflict', theirs: undefined });
  saver.overwrite();
  await settle();
  expect(await server.get()).toMatchObject({ text: 'mine' });
});

it('is no conflict if both are the same', async () => {
  const server = new Server('a');
  const saver = open(server);
  server.write('b');
  saver.change('b');
  await settle();
  expect(saver.saving.state).toBe('saved');
});

const plot = { ...noPlot, query: 'mine' };
const queriesOf = (server: Server): string[] => readBoard(server.stored?.text ?? '').plots.map(({ query }) => query);

it('pins to a board, new or not, and again when someone was faster', async () => {
  const server = new Server();
  await pin(server, plot, noBoard, true);
  await pin(server, { ...plot, query: 'second' }, noBoard, false);
  await pin(server, { ...plot, query: 'third' }, noBoard, true); // someone made it meanwhile
  expect(queriesOf(server)).toEqual(['mine', 'second', 'third']);
  const get = server.get;
  let others = 2;
  server.get = async () => {
    const stored = await get();
    if (others-- > 0) {
      server.write(writeBoard({ ...noBoard, plots: [{ ...noPlot, id: 0, query: `theirs ${others}` }] }));
    }
    return stored;
  };
  await pin(server, plot, noBoard, false);
  expect(queriesOf(server)).toEqual(['theirs 0', 'mine']);
});

it('pins nothing to what is no board', async () => {
  const server = new Server('{"version":2}');
  await expect(pin(server, plot, noBoard, false)).rejects.toThrow(/version 2/);
  expect(server.stored?.text).toBe('{"version":2}');
});
