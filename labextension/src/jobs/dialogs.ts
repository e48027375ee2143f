/**
 * What a command asks the user, and what it gives them.
 */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import { plural, size } from '../text/format';
import { isTerminal } from './states';
import type { JobEntry } from './store';

/** Ask before something is lost, and name it. */
export async function confirmed({ id, job }: JobEntry): Promise<boolean> {
  const name = job?.spec.name ?? id;
  const kept = (job?.results ?? []).filter(item => item.size !== null);
  const bytes = kept.reduce((sum, item) => sum + (item.size ?? 0), 0);
  const results =
    kept.length > 0
      ? `, ${plural(kept.length, 'result')} (${size(bytes)})`
      : '';
  const running =
    job && !isTerminal(job.status) ? 'It is canceled first. ' : '';
  const answer = await showDialog({
    title: `Delete the job ${name}?`,
    body: `${running}Its log${results} and its executed notebook will be lost.`,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Delete' })]
  });
  return answer.button.accept;
}

/** Give the reader's browser a file. */
export function save(content: unknown, name: string): void {
  const text = JSON.stringify(content, null, 1);
  const url = URL.createObjectURL(
    new Blob([text], { type: 'application/x-ipynb+json' })
  );
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
