import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  type MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { launchIcon } from '@jupyterlab/ui-components';
import type { JobStore } from '../jobs/store';
import { CommandIDs, IJobs, JOB_ARGS } from '../tokens';
import { mlflowTab, type MlflowView } from './tab';

// Its picture has a size of its own, which menus do not bind.
const openIcon = launchIcon.bindprops({ stylesheet: 'menuItem' });

export const mlflow: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlws:mlflow',
  description: "Shows MLflow's pages in a tab.",
  autoStart: true,
  requires: [IJobs],
  optional: [ICommandPalette, ILayoutRestorer, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    store: JobStore,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    labShell: ILabShell | null
  ) => {
    const tracker = new WidgetTracker<MainAreaWidget<MlflowView>>({
      namespace: 'mlws-mlflow'
    });
    app.commands.addCommand(CommandIDs.openMlflow, {
      label: ({ id }) => (id ? 'Open Run in MLflow' : 'Open MLflow'),
      caption: "MLflow's pages: experiments, runs, metrics and models",
      icon: openIcon,
      describedBy: { args: JOB_ARGS },
      isEnabled: ({ id }) =>
        typeof id !== 'string' ||
        typeof store.entry(id).job?.run_id === 'string',
      execute: async ({ id }) => {
        const run = typeof id === 'string' ? store.entry(id).job?.run_id : null;
        let tab = tracker.currentWidget;
        const fresh = tab === null || tab.isDisposed;
        if (tab === null || fresh) {
          tab = mlflowTab(store.connection.client);
          app.shell.add(tab, labShell ? 'main' : 'down');
          void tracker.add(tab);
        }
        app.shell.activateById(tab.id);
        if (fresh || run) {
          await tab.content.go(run ?? null);
        }
      }
    });
    palette?.addItem({ command: CommandIDs.openMlflow, category: 'MLWS' });
    void restorer?.restore(tracker, {
      command: CommandIDs.openMlflow,
      name: () => 'mlflow'
    });
  }
};
