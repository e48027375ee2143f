import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { mlwsIcon } from '../icons';
import { JobActions } from '../jobs/actions';
import { JobList } from '../jobs/list';
import type { JobStore } from '../jobs/store';
import { CommandIDs, IJobs, IJobSelection } from '../tokens';
import { workspacePanel } from './panel';
import type { Selection } from './selection';

const RANK = 550;

export const panel: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlws:panel',
  description: 'The workspace in the side panel.',
  autoStart: true,
  requires: [IJobs, IJobSelection],
  optional: [ILayoutRestorer, ICommandPalette, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    store: JobStore,
    selection: Selection,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    notebooks: INotebookTracker | null
  ) => {
    const list = new JobList(store);
    const current = () => notebooks?.currentWidget ?? null;
    const widget = workspacePanel({
      connection: store.connection,
      onOpenMlflow: () => void app.commands.execute(CommandIDs.openMlflow),
      list,
      selection,
      actions: new JobActions(app.commands),
      firstStep: {
        label: () =>
          current() ? 'Submit this notebook' : 'New notebook with a first job',
        take: () => {
          const { submitNotebook, newNotebook } = CommandIDs;
          void app.commands.execute(current() ? submitNotebook : newNotebook);
        }
      }
    });
    notebooks?.currentChanged.connect(() => list.announce());
    app.shell.add(widget, 'left', { rank: RANK });
    restorer?.add(widget, widget.id);
    void list.reload();

    app.commands.addCommand(CommandIDs.showJobs, {
      label: 'Show Jobs',
      caption: 'The jobs of the machine-learning workspace',
      icon: mlwsIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => app.shell.activateById(widget.id)
    });
    palette?.addItem({
      command: CommandIDs.showJobs,
      category: 'MLWS',
      rank: 0
    });
  }
};
