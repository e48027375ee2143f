/**
 * Telling the user what a command did, or why it could not.
 */

import { Notification } from '@jupyterlab/apputils';
import { sentence } from '../api/errors';
import type { JobEntry } from './store';

const SHOWN = 5000;

/** Say that a job was submitted, with a way to it. */
export function announce(entry: JobEntry, open: () => void): void {
  const id = Notification.success(
    `${entry.job?.spec.name ?? entry.id} was submitted.`,
    {
      autoClose: SHOWN,
      actions: [{ label: 'Open', callback: open }]
    }
  );
  // The toast's own clock stands still while the window has no focus.
  setTimeout(() => Notification.dismiss(id), SHOWN);
}

/** Run `action`; what goes wrong is said to the user. */
export async function guarded(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const { message, hint } = sentence(error);
    Notification.error(hint ? `${message} ${hint}` : message, {
      autoClose: false
    });
  }
}
