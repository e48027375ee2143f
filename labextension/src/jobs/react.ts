/**
 * What the React parts of the views share: following a signal, and one clock.
 */

import type { ISignal } from '@lumino/signaling';
import { useEffect, useReducer } from 'react';

/** Draw the component again whenever `signal` is emitted. */
export function useSignal<T, U>(signal: ISignal<T, U>): void {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const slot = () => redraw();
    signal.connect(slot);
    // What was emitted between the drawing and now was not heard.
    redraw();
    return () => void signal.disconnect(slot);
  }, [signal]);
}

/** The time (ms since 1970). The component is drawn again each `interval` ms; null: it stands still. */
export function useNow(interval: number | null): number {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    if (interval === null) {
      return;
    }
    const timer = setInterval(() => {
      if (!document.hidden) {
        redraw();
      }
    }, interval);
    return () => clearInterval(timer);
  }, [interval]);
  return Date.now();
}
