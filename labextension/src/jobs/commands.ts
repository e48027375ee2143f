/**
 * The commands of a job: open, cancel, re-run, delete, copy, download.
 */

import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  Clipboard,
  CommandToolbarButton,
  ICommandPalette,
  type MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import {
  copyIcon,
  deleteIcon,
  downloadIcon,
  refreshIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { mlwsIcon } from '../icons';
import { Selection } from '../panel/selection';
import { CommandIDs, IJobs, IJobSelection, JOB_ARGS } from '../tokens';
import { JobActions } from './actions';
import { confirmed, save } from './dialogs';
import { announce, guarded } from './notify';
import { isTerminal } from './states';
import type { JobEntry, JobStore } from './store';
import { jobTab, type JobView } from './tab';

type Args = ReadonlyPartialJSONObject;
type Tab = MainAreaWidget<JobView>;

/** In the palette below what needs no job, and the harmless first. */
const OF_A_JOB = [
  CommandIDs.openJob,
  CommandIDs.rerunJob,
  CommandIDs.cancelJob,
  CommandIDs.deleteJob
];
/** Commands whose label or use depends on the job in front. */
const FOLLOWING = [
  ...OF_A_JOB,
  CommandIDs.openMlflow,
  CommandIDs.downloadNotebook
];
const ROWS = '.mlws-Row';

export const commands: JupyterFrontEndPlugin<Selection> = {
  id: 'jupyter-mlws:commands',
  description: 'What can be done with a job.',
  autoStart: true,
  provides: IJobSelection,
  requires: [IJobs, IRenderMimeRegistry],
  optional: [
    ICommandPalette,
    ILayoutRestorer,
    ILabShell,
    NotebookPanel.IContentFactory,
    IEditorServices
  ],
  activate: (
    app: JupyterFrontEnd,
    store: JobStore,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    labShell: ILabShell | null,
    contentFactory: NotebookPanel.IContentFactory | null,
    editorServices: IEditorServices | null
  ) => {
    const selection = new Selection();
    const tracker = new WidgetTracker<Tab>({ namespace: 'mlws-jobs' });
    const actions = new JobActions(app.commands);
    const services = { store, rendermime, actions };
    const parts =
      contentFactory && editorServices
        ? { contentFactory, editorServices, rendermime }
        : null;

    const create = (entry: JobEntry): Tab => {
      const tab = jobTab(services, entry, parts);
      addToolbar(tab, app);
      // Notebook 7 has one document in its main area, and room for tabs below.
      app.shell.add(tab, labShell ? 'main' : 'down');
      void tracker.add(tab);
      return tab;
    };
    const open = (entry: JobEntry) => {
      const there = tracker.find(tab => tab.content.entry === entry);
      const tab = there ?? create(entry);
      app.shell.activateById(tab.id);
    };
    /** The job of the list's row under the context menu. */
    const rowsJob = () =>
      app.contextMenuHitTest(node => node.matches(ROWS))?.dataset.job;
    /** The job that a command is about. */
    const jobOf = (args: Args): JobEntry | null => {
      const id = args.row === true ? rowsJob() : (args.id ?? selection.id);
      const entry = typeof id === 'string' && id ? store.entry(id) : null;
      return entry?.gone ? null : entry;
    };
    const notify = () =>
      FOLLOWING.forEach(id => app.commands.notifyCommandChanged(id));
    /** The job at hand is the one whose tab is in front. */
    const follow = () => {
      const tab = tracker.currentWidget;
      const front = !labShell || tab === app.shell.currentWidget;
      selection.id = front ? (tab?.content.entry.id ?? null) : null;
    };

    addCommands({ app, store, jobOf, open });
    OF_A_JOB.forEach((command, i) => {
      palette?.addItem({ command, category: 'MLWS', rank: 100 + i });
      app.contextMenu.addItem({
        command,
        selector: ROWS,
        args: { row: true },
        rank: i
      });
    });
    tracker.currentChanged.connect(follow);
    app.shell.currentChanged?.connect(follow);
    selection.changed.connect(notify);
    store.updated.connect((_, entry) => {
      if (entry.id === selection.id) {
        notify();
      }
    });
    void restorer?.restore(tracker, {
      command: CommandIDs.openJob,
      args: tab => ({ id: tab.content.entry.id }),
      name: tab => tab.content.entry.id
    });
    return selection;
  }
};

interface Context {
  readonly app: JupyterFrontEnd;
  readonly store: JobStore;
  readonly jobOf: (args: Args) => JobEntry | null;
  readonly open: (entry: JobEntry) => void;
}

function addCommands(context: Context): void {
  const { app, store, jobOf, open } = context;
  const about = (
    run: (entry: JobEntry) => Promise<void> | void
  ): ((args: Args) => Promise<void>) => {
    return args =>
      guarded(async () => {
        const entry = jobOf(args);
        if (entry) {
          await run(entry);
        }
      });
  };
  const known = (args: Args) => jobOf(args) !== null;
  /** Where nothing else tells which job it is, the label does. */
  const label = (verb: string, end = '') => {
    return (args: Args) => {
      const told = args.id !== undefined || args.row === true;
      const name = told ? undefined : jobOf(args)?.job?.spec.name;
      return `${verb} Job${name ? ` “${name}”` : ''}${end}`;
    };
  };
  const ended = (args: Args) => {
    const job = jobOf(args)?.job;
    return job ? isTerminal(job.status) : false;
  };
  const describedBy = { args: JOB_ARGS };

  app.commands.addCommand(CommandIDs.openJob, {
    label: label('Open'),
    caption: 'The whole log, results, inputs and environment of the job',
    icon: mlwsIcon,
    describedBy,
    isVisible: known,
    isEnabled: known,
    execute: about(entry => open(entry))
  });
  app.commands.addCommand(CommandIDs.cancelJob, {
    label: label('Cancel'),
    caption: 'End the job; what it has put out is kept',
    icon: stopIcon.bindprops({ stylesheet: 'menuItem' }),
    describedBy,
    isVisible: known,
    isEnabled: args => known(args) && !ended(args),
    execute: about(entry => store.cancel(entry.id))
  });
  app.commands.addCommand(CommandIDs.rerunJob, {
    label: label('Re-run'),
    caption: 'Run the job again exactly as it was',
    icon: refreshIcon,
    describedBy,
    isVisible: known,
    isEnabled: known,
    execute: about(async entry => {
      const again = await store.rerun(entry.id);
      announce(again, () => open(again));
    })
  });
  app.commands.addCommand(CommandIDs.deleteJob, {
    label: label('Delete', '…'),
    icon: deleteIcon,
    describedBy,
    isVisible: known,
    isEnabled: known,
    execute: about(async entry => {
      if (await confirmed(entry)) {
        await store.delete(entry.id);
      }
    })
  });
  app.commands.addCommand(CommandIDs.copyResult, {
    label: 'Copy Code That Fetches the Result',
    icon: copyIcon,
    describedBy: { args: RESULT_ARGS },
    execute: ({ name, variable }) => {
      const job = typeof variable === 'string' ? variable : 'job';
      Clipboard.copyToSystem(`${job}.result(${JSON.stringify(name)})`);
    }
  });
  app.commands.addCommand(CommandIDs.downloadNotebook, {
    label: 'Download Executed Notebook',
    icon: downloadIcon,
    describedBy,
    isEnabled: args => (jobOf(args)?.job?.attempt ?? 0) > 0,
    execute: about(async entry => {
      const content = await store.connection.client.notebook(entry.id);
      save(content, `${entry.job?.spec.name ?? entry.id}.ipynb`);
    })
  });
}

const RESULT_ARGS = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'The name of the result.' },
    variable: {
      type: 'string',
      description: "The notebook's variable that holds the job."
    }
  },
  required: ['name']
} as const;

function addToolbar(tab: Tab, app: JupyterFrontEnd): void {
  const args = { id: tab.content.entry.id };
  const shown: [string, string][] = [
    [CommandIDs.rerunJob, 'Re-run'],
    [CommandIDs.openMlflow, 'MLflow'],
    [CommandIDs.downloadNotebook, 'Download notebook']
  ];
  shown.forEach(([id, label]) => {
    const { commands: registry } = app;
    tab.toolbar.addItem(
      id,
      new CommandToolbarButton({ commands: registry, id, args, label })
    );
  });
}
