import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { submitIcon } from '../icons';
import { announce, guarded } from '../jobs/notify';
import type { JobStore } from '../jobs/store';
import { CommandIDs, IJobs } from '../tokens';
import { answerRequests } from './answers';
import { example } from './example';
import { requestOf } from './submit';

/** Its id names the settings that place the button and the menu entry. */
export const notebook: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlws:notebook',
  description: 'Submits the notebook on the screen as a job.',
  autoStart: true,
  requires: [IJobs, INotebookTracker],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    store: JobStore,
    tracker: INotebookTracker,
    palette: ICommandPalette | null
  ) => {
    const { contents, kernelspecs } = app.serviceManager;
    const { connection } = store;
    answerRequests(connection, tracker, contents);

    const panelOf = (args: ReadonlyPartialJSONObject): NotebookPanel | null =>
      typeof args.path === 'string'
        ? (tracker.find(({ context }) => context.path === args.path) ?? null)
        : tracker.currentWidget;
    const submit = async (panel: NotebookPanel) => {
      const request = await requestOf(panel, contents, connection.client);
      const entry = await store.submit(request);
      announce(entry, () => {
        void app.commands.execute(CommandIDs.openJob, { id: entry.id });
      });
    };

    app.commands.addCommand(CommandIDs.submitNotebook, {
      label: 'Submit Notebook as a Job',
      caption:
        'Run the notebook as it is on the screen as a job, in a kernel of its own',
      icon: submitIcon,
      describedBy: { args: SUBMIT_ARGS },
      isEnabled: args => panelOf(args) !== null,
      execute: args =>
        guarded(async () => {
          const panel = panelOf(args);
          if (panel) {
            await submit(panel);
          }
        })
    });
    app.commands.addCommand(CommandIDs.newNotebook, {
      label: 'New Notebook with a First Job',
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () =>
        guarded(async () => {
          await kernelspecs.ready;
          const content = example(kernelspecs.specs?.default ?? 'python3');
          const { path } = await contents.newUntitled({ type: 'notebook' });
          await contents.save(path, {
            type: 'notebook',
            format: 'json',
            content
          });
          await app.commands.execute('docmanager:open', { path });
        })
    });
    [CommandIDs.submitNotebook, CommandIDs.newNotebook].forEach((command, i) =>
      palette?.addItem({ command, category: 'MLWS', rank: 10 + i })
    );
    tracker.currentChanged.connect(() => {
      app.commands.notifyCommandChanged(CommandIDs.submitNotebook);
    });
  }
};

const SUBMIT_ARGS = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      description:
        'An open notebook, by its path; the current one where none is given.'
    }
  }
} as const;
