// Requests to the server's HTTP API: Prometheus', and what is only for the page.

import { doubt } from './presence';

/** ServerError is an error that the server answered with, in its words. */
export class ServerError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly kind: string, // errorType
  ) {
    super(message);
  }
}

/** Unreachable says that no answer came, or one that is not the server's. */
export class Unreachable extends Error {}

/** Answer is one that succeeded. data is as it came: look before use. */
export interface Answer {
  path: string;
  params: readonly Param[];
  data: unknown;
  notes: string[]; // warnings and infos
  text: string; // all of it, as JSON
}

export type Param = readonly [name: string, value: string];

/** ask sends a request, as a form since queries may be long, and returns its answer. An abort of signal is thrown as it is. */
export async function ask(path: string, params: readonly Param[], signal?: AbortSignal): Promise<Answer> {
  const form = new URLSearchParams(params.map(([name, value]) => [name, value]));
  return send(path, params, { method: 'POST', body: form, ...(signal && { signal }) });
}

/** look is ask for what has GET only. */
export async function look(path: string, params: readonly Param[], signal?: AbortSignal): Promise<Answer> {
  return send(path, params, { method: 'GET', ...(signal && { signal }) });
}

/** lookPage asks for what is only for the page: browse, extent, top. */
export async function lookPage(path: 'browse' | 'extent' | 'top', params: readonly Param[], signal?: AbortSignal): Promise<Answer> {
  return send(`../page/${path}`, params, { method: 'GET', ...(signal && { signal }) });
}

async function send(path: string, params: readonly Param[], init: RequestInit): Promise<Answer> {
  let status: number;
  let text: string;
  const query = new URLSearchParams(params.map(([name, value]) => [name, value])).toString();
  try {
    const response = await fetch(`api/v1/${path}${init.method === 'GET' && query !== '' ? `?${query}` : ''}`, { ...init, headers: { Accept: 'application/json' }, cache: 'no-store' });
    status = response.status;
    text = await response.text();
  } catch (error) {
    if (init.signal?.aborted) {
      throw error;
    }
    doubt();
    throw new Unreachable('The server does not answer.');
  }
  const body = parse(text);
  if (body?.['status'] !== 'success') {
    if (typeof body?.['error'] === 'string') {
      throw new ServerError(body['error'], status, String(body['errorType']));
    }
    throw new Unreachable(`The server answered ${status}, without a reason.`);
  }
  return { path, params, data: body['data'], notes: [...texts(body['warnings']), ...texts(body['infos'])], text };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return isRecord(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** texts returns the texts of a list; what is none is left out. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((text): text is string => typeof text === 'string') : [];
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
