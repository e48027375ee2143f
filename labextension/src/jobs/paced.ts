/**
 * Doing something often enough, and no more often.
 */

import type { IDisposable } from '@lumino/disposable';

/** Does something when it is asked, never twice at a time, with a pause after; what is asked meanwhile is done once. */
export class Paced implements IDisposable {
  /** `run` does not reject; `pause` is in milliseconds. */
  constructor(
    private readonly run: () => Promise<void>,
    private readonly pause: number
  ) {}

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
  }

  ask(): void {
    this._wanted = true;
    if (!this._busy) {
      this._busy = true;
      void this.work().finally(() => (this._busy = false));
    }
  }

  private async work(): Promise<void> {
    while (this._wanted && !this._isDisposed) {
      this._wanted = false;
      await this.run();
      await new Promise(resolve => setTimeout(resolve, this.pause));
    }
  }

  private _wanted = false;
  private _busy = false;
  private _isDisposed = false;
}
