/**
 * Keeps a place at the height that it had before the page was loaded anew, until its content is there again.
 */

import type { IDisposable } from '@lumino/disposable';

const KEY = 'jupyter-mlws:height:';
/** Milliseconds in which outputs are drawn after they came. */
const DRAWING = 400;

/** Holds the place of one job's card. */
export class SteadyHeight implements IDisposable {
  constructor(
    private readonly node: HTMLElement,
    private readonly id: string
  ) {
    const height = known(id);
    if (height > 0) {
      node.style.minHeight = `${height}px`;
    }
    this._sizes = new ResizeObserver(() => this.remember());
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._timer);
    this._sizes.disconnect();
    this.node.style.minHeight = '';
  }

  /** The content is there: from now on its height is the place's. */
  settle(): void {
    this._timer ??= setTimeout(() => {
      this.node.style.minHeight = '';
      this._sizes.observe(this.node);
    }, DRAWING);
  }

  private remember(): void {
    const { offsetHeight } = this.node;
    // Out of the page it has none.
    if (offsetHeight > 0) {
      try {
        sessionStorage.setItem(KEY + this.id, offsetHeight.toString());
      } catch {
        // The browser keeps nothing for this page, or no more.
      }
    }
  }

  private readonly _sizes: ResizeObserver;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}

function known(id: string): number {
  try {
    return Number(sessionStorage.getItem(KEY + id));
  } catch {
    return 0;
  }
}
