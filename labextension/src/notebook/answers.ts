/**
 * Telling the server which notebook runs on a kernel, as it stands on the screen.
 */

import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { Connection } from '../api/connection';
import type { NotebookAnswer, NotebookRequest } from '../api/types';

/** Answer the server's requests for notebooks that are open here. Those of others are theirs to answer. */
export function answerRequests(
  connection: Connection,
  tracker: INotebookTracker,
  contents: Contents.IManager
): void {
  connection.notebookRequest.connect((_, request) => {
    const answer = answerTo(request, tracker, contents);
    if (answer) {
      connection.client
        .answerNotebook(request.request_id, answer)
        .catch((error: unknown) => {
          // The server goes on with the saved file.
          console.warn('MLWS: the notebook could not be sent', error);
        });
    }
  });
}

function answerTo(
  { kernel_id }: NotebookRequest,
  tracker: INotebookTracker,
  contents: Contents.IManager
): NotebookAnswer | null {
  const panel = tracker.find(
    ({ sessionContext }) => sessionContext.session?.kernel?.id === kernel_id
  );
  if (!panel?.context.isReady) {
    return null;
  }
  const { context } = panel;
  return {
    path: contents.localPath(context.path),
    dirty: context.model.dirty,
    content: context.model.toJSON() as unknown as NotebookAnswer['content']
  };
}
