import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  IThemeManager,
  type MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { launchIcon } from '@jupyterlab/ui-components';
import type { JobStore } from '../jobs/store';
import { CommandIDs, IJobs } from '../tokens';
import { mlflowTab, type MlflowView, pageOfRun } from './tab';

// Its picture has a size of its own, which menus do not bind.
const openIcon = launchIcon.bindprops({ stylesheet: 'menuItem' });

export const mlflow: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlws:mlflow',
  description: "Shows MLflow's pages in a tab.",
  autoStart: true,
  requires: [IJobs],
  optional: [ICommandPalette, ILayoutRestorer, ILabShell, IThemeManager],
  activate: (
    app: JupyterFrontEnd,
    store: JobStore,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    labShell: ILabShell | null,
    themes: IThemeManager | null
  ) => {
    const tracker = new WidgetTracker<MainAreaWidget<MlflowView>>({
      namespace: 'mlws-mlflow'
    });
    const isDark = () => (themes?.theme ? !themes.isLight(themes.theme) : null);
    app.commands.addCommand(CommandIDs.openMlflow, {
      label: ({ id }) => (id ? 'Open Run in MLflow' : 'Open MLflow'),
      caption: "MLflow's pages: experiments, runs, metrics and models",
      icon: openIcon,
      describedBy: { args: ARGS },
      isEnabled: ({ id }) =>
        typeof id !== 'string' ||
        typeof store.entry(id).job?.run_id === 'string',
      execute: async ({ id, page }) => {
        const run = typeof id === 'string' ? store.entry(id).job?.run_id : null;
        const wanted =
          run != null ? pageOfRun(run) : typeof page === 'string' ? page : null;
        let tab = tracker.currentWidget;
        const fresh = tab === null || tab.isDisposed;
        if (tab === null || fresh) {
          const made = mlflowTab(store.connection.client, isDark);
          made.content.pageChanged.connect(() => void tracker.save(made));
          app.shell.add(made, labShell ? 'main' : 'down');
          void tracker.add(made);
          tab = made;
        }
        app.shell.activateById(tab.id);
        if (fresh || wanted !== null) {
          await tab.content.go(wanted);
        }
      }
    });
    palette?.addItem({
      command: CommandIDs.openMlflow,
      category: 'MLWS',
      rank: 20
    });
    void restorer?.restore(tracker, {
      command: CommandIDs.openMlflow,
      args: tab => ({ page: tab.content.page }),
      name: () => 'mlflow'
    });
  }
};

const ARGS = {
  type: 'object',
  properties: {
    id: { type: 'string', description: 'The id of the job whose run to show.' },
    page: {
      type: 'string',
      description:
        "One of MLflow's pages, by the end of its address: #/experiments/1."
    }
  }
} as const;
