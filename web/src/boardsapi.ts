// Boards on the server: /api/page/boards. A version of a board is named by its ETag, and who changes a board says which one he saw.

import { isRecord, ServerError, Unreachable } from './api';
import { doubt } from './presence';
import type { Remote, Stored } from './saver';

/** Listed is a board in the list. */
export interface Listed {
  name: string;
  etag: string;
  size: number; // bytes
  modified: number; // ms
  error: string; // why it can't be read; empty: it can, as far as anybody knows
}

/** listBoards returns all boards, by name. */
export async function listBoards(): Promise<Listed[]> {
  const { text } = await send('GET', '', {});
  const body: unknown = JSON.parse(text);
  const list: unknown[] = isRecord(body) && Array.isArray(body['boards']) ? body['boards'] : [];
  return list.flatMap((one) =>
    isRecord(one) && typeof one['name'] === 'string' && typeof one['etag'] === 'string'
      ? [{ name: one['name'], etag: one['etag'], size: Number(one['size']), modified: Number(one['modified']), error: typeof one['error'] === 'string' ? one['error'] : '' }]
      : [],
  );
}

/** getBoard returns a board: undefined if there is none, 'same' if it still has this etag. */
export async function getBoard(name: string): Promise<Stored | undefined>;
export async function getBoard(name: string, seen: string | undefined): Promise<Stored | 'same' | undefined>;
export async function getBoard(name: string, seen?: string): Promise<Stored | 'same' | undefined> {
  try {
    const { status, etag, text } = await send('GET', name, seen === undefined ? {} : { 'If-None-Match': seen });
    return status === 304 ? 'same' : { etag, text };
  } catch (error) {
    if (error instanceof ServerError && error.status === 404) {
      return undefined;
    }
    throw error;
  }
}

/** putBoard replaces the version of a board that has this etag, or makes a new one, and returns the new etag. A ServerError of status 412: there is another version. */
export async function putBoard(name: string, text: string, etag: string | undefined): Promise<string> {
  return (await send('PUT', name, { ...over(etag), 'Content-Type': 'application/json' }, text)).etag;
}

/** deleteBoard deletes the version of a board that has this etag. */
export async function deleteBoard(name: string, etag: string): Promise<void> {
  await send('DELETE', name, over(etag));
}

/** remote is one board, for a Saver. */
export function remote(name: string): Remote {
  return { get: () => getBoard(name), put: (text, etag) => putBoard(name, text, etag) };
}

function over(etag: string | undefined): Record<string, string> {
  return etag === undefined ? { 'If-None-Match': '*' } : { 'If-Match': etag };
}

async function send(method: string, name: string, headers: Record<string, string>, body?: string): Promise<Stored & { status: number }> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`api/page/boards${name === '' ? '' : `/${encodeURIComponent(name)}`}`, {
      method,
      headers: { Accept: 'application/json', ...headers },
      cache: 'no-store',
      ...(body !== undefined && { body }),
    });
    text = await response.text();
  } catch {
    doubt();
    throw new Unreachable('The server does not answer.');
  }
  if (response.ok || response.status === 304) {
    return { status: response.status, etag: response.headers.get('ETag') ?? '', text };
  }
  throw new ServerError(reason(text) ?? `The server answered ${response.status}, without a reason.`, response.status, '');
}

function reason(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return isRecord(body) && typeof body['error'] === 'string' ? body['error'] : undefined;
  } catch {
    return undefined;
  }
}
