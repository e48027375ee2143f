import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Connection } from '../api/connection';
import { IJobs } from '../tokens';
import { JobActions } from './actions';
import { cardFactory } from './card';
import { JobStore } from './store';

/** The jobs of the workspace, for all who show them. */
export const jobs: JupyterFrontEndPlugin<JobStore> = {
  id: 'jupyter-mlws:jobs',
  description: 'Follows the jobs of the machine-learning workspace.',
  autoStart: true,
  provides: IJobs,
  activate: (app: JupyterFrontEnd) =>
    new JobStore(new Connection(app.serviceManager.serverSettings))
};

/** The card under a cell. */
export const cards: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlws:cards',
  description: 'Shows a job under the cell that submitted it.',
  autoStart: true,
  requires: [IJobs, IRenderMimeRegistry],
  activate: (
    app: JupyterFrontEnd,
    store: JobStore,
    rendermime: IRenderMimeRegistry
  ) => {
    const actions = new JobActions(app.commands);
    rendermime.addFactory(cardFactory({ store, rendermime, actions }));
  }
};
