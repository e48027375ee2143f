/**
 * Submitting the notebook on the screen, saved or not.
 */

import { PathExt } from '@jupyterlab/coreutils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { Client } from '../api/client';
import { sha256 } from '../api/sha256';
import type { JobRequest } from '../api/types';

/** Upload the notebook as it is on the screen, and return what to submit. */
export async function requestOf(
  panel: NotebookPanel,
  contents: Contents.IManager,
  client: Client
): Promise<JobRequest> {
  const { context, sessionContext } = panel;
  await context.ready;
  const bytes = new TextEncoder().encode(
    JSON.stringify(context.model.toJSON())
  );
  const sha = await sha256(bytes);
  await client.putBlob(sha, bytes);
  const path = contents.localPath(context.path);
  const kernel = sessionContext.session?.kernel ?? null;
  return {
    kind: 'notebook',
    name: PathExt.basename(path, PathExt.extname(path)),
    notebook: sha,
    path: PathExt.basename(path),
    // As Jupyter shows it: the server knows where that is on its disk.
    folder: PathExt.dirname(path) || '.',
    kernel: {
      name: kernel?.name ?? sessionContext.kernelPreference.name ?? null,
      executable: null
    },
    origin: {
      notebook: path,
      cell_id: null,
      kernel_id: kernel?.id ?? null,
      client: 'jupyterlab'
    }
  };
}
