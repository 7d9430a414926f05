// Saving a board as it is changed, so that nothing is lost: neither what is typed here nor what someone else saved meanwhile.
//
// A change is sent when there was no other for a moment, one request at a time, and only over the version that was read. While the server is away or its
// disk is full, the change is kept and sent again. If someone else was faster, both contents are kept until one is chosen.

import { isAbort, ServerError, Unreachable } from './api';
import { wordsOf } from './errors';

/** Stored is a board as the server has it. */
export interface Stored {
  etag: string;
  text: string;
}

/** Remote is the board on the server. Both reject as boardsapi does. */
export interface Remote {
  get: () => Promise<Stored | undefined>; // undefined: there is none
  put: (text: string, etag: string | undefined) => Promise<string>; // over this version, or as a new board; returns its etag
}

export type Saving =
  | { state: 'saved' }
  | { state: 'saving' } // or about to
  | { state: 'waiting'; why: string } // to try again
  | { state: 'refused'; why: string } // the server does not take it as it is
  | { state: 'conflict'; theirs: Stored | undefined }; // undefined: someone deleted it

const calm = 500; // ms without a change before one is sent
const patience = 3000; // ms before it is tried again

/** Saver saves one board. Whoever holds it calls change with all that it is to be, and is told by its listener what became of that. */
export class Saver {
  saving: Saving = { state: 'saved' };
  /** Called after each change of saving. */
  listener: () => void = () => undefined;

  private timer: ReturnType<typeof setTimeout> | undefined;
  private busy = false;
  private unanswered: string[] = []; // sent, and nobody knows whether the server has it

  /** stored is what the server had when it was last heard of, mine what it is to have. */
  constructor(
    private readonly remote: Remote,
    public stored: Stored | undefined,
    public mine: string = stored?.text ?? '',
  ) {}

  get unsaved(): boolean {
    return this.saving.state !== 'saved';
  }

  change(text: string): void {
    this.mine = text;
    if (this.saving.state === 'conflict') {
      return;
    }
    this.is({ state: 'saving' });
    this.sendIn(calm);
  }

  /** now sends what waits to be sent. */
  now(): void {
    if (this.unsaved && this.saving.state !== 'conflict' && !this.busy) {
      this.sendIn(0);
    }
  }

  /** read takes over what someone else saved, unless something of ours is still to be saved. It says whether it did. */
  read(stored: Stored): boolean {
    if (this.unsaved) {
      return false;
    }
    this.stored = stored;
    this.mine = stored.text;
    return true;
  }

  /** overwrite ends a conflict: mine is to replace theirs. */
  overwrite(): void {
    if (this.saving.state === 'conflict') {
      this.stored = this.saving.theirs;
      this.is({ state: 'saving' });
      this.sendIn(0);
    }
  }

  /** yield ends a conflict: theirs stays, mine is dropped. Where they deleted it, mine is only no longer to be saved. */
  yield(): void {
    if (this.saving.state === 'conflict') {
      this.stored = this.saving.theirs;
      this.mine = this.stored?.text ?? this.mine;
      this.is({ state: 'saved' });
    }
  }

  private is(saving: Saving): void {
    this.saving = saving;
    this.listener();
  }

  private sendIn(delay: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.send(), delay);
  }

  private async send(): Promise<void> {
    if (this.busy || this.saving.state === 'conflict') {
      return; // what is on its way sends the rest when it is back
    }
    this.busy = true;
    const sent = this.mine;
    try {
      const etag = await this.remote.put(sent, this.stored?.etag);
      this.stored = { etag, text: sent };
      this.unanswered = [];
      this.settle();
    } catch (error) {
      await this.failed(error, sent);
    } finally {
      this.busy = false;
    }
  }

  /** settle goes on with what was changed while a request was on its way. */
  private settle(): void {
    if (this.mine === this.stored?.text) {
      clearTimeout(this.timer);
      this.is({ state: 'saved' });
    } else {
      this.is({ state: 'saving' });
      this.sendIn(calm);
    }
  }

  private async failed(error: unknown, sent: string): Promise<void> {
    if (error instanceof ServerError && error.status === 412) {
      try {
        this.found(await this.remote.get());
      } catch (other) {
        this.wait(other, sent);
      }
      return;
    }
    if (error instanceof Unreachable || isAbort(error)) {
      this.unanswered.push(sent);
    }
    this.wait(error, sent);
  }

  /** found compares what is on the server with what was sent: a request whose answer was lost may have been carried out. */
  private found(theirs: Stored | undefined): void {
    if (theirs && (theirs.text === this.mine || this.unanswered.includes(theirs.text))) {
      this.stored = theirs;
      this.unanswered = [];
      this.settle();
    } else {
      clearTimeout(this.timer);
      this.is({ state: 'conflict', theirs });
    }
  }

  private wait(error: unknown, sent: string): void {
    const why = wordsOf(error);
    const passes = !(error instanceof ServerError) || error.status === 408 || error.status === 429 || (error.status >= 500 && error.status !== 501 && error.status !== 507);
    if (passes || this.mine !== sent) {
      this.is({ state: 'waiting', why });
      this.sendIn(passes ? patience : calm);
    } else {
      this.is({ state: 'refused', why });
    }
  }
}
